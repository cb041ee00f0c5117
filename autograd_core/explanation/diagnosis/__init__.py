"""Why a gradient is zero, NaN, huge or missing.

- diagnose: the function; findings: what it returns; thresholds: every one, with its reason
- examination: one sweep; layers: which layer a node belongs to
- zeros, units, finiteness, sizes, updates: what is looked for
"""
