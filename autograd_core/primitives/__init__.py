"""THE TABLE: every primitive once, its forward and its derivative rules side by side.

- elementwise: arithmetic, powers, logarithms, trigonometry, rounding, comparison
- indexing: taking elements out and putting them back
- shapes: the same numbers in another shape
- reductions: many numbers into fewer
- linear_algebra: products, inverses, determinants
- decompositions: cholesky, eigh, svd

A newcomer adds a primitive here as one row, and its test as one row of tests/cases.py.
"""
