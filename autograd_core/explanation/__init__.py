"""The chain rule with numbers and formulas, why gradients go wrong, and hand-made ones checked.

- terms, notation, latex: formulas as trees, as text and as LaTeX
- names, syntax, formulas: names, expressions and derivatives of nodes
- equations: a whole graph and its gradients as formulas that name what they share
- explain, tables: the table that a reader sees
- diagnosis: the cause, the place and the cure
- comparison: the mistake behind a wrong gradient
"""
