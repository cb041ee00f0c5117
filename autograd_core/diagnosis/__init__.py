"""Why a gradient is zero, NaN, huge or missing.

- diagnose: the function
- examination: one backward sweep, the layers of a graph, and the findings that are returned
- zeros: zero and missing gradients, saturated and dead units
- sizes: NaN and inf, vanishing and exploding gradients, learning rates
"""
