"""Formulas of graphs, and `explain`: the chain rule as a table.

- explain: the function, and the table that it returns
- formulas: expressions, derivatives and whole graphs as formulas, recorded from the rules
- terms: formulas as trees, and their simplification; notation: as text and as LaTeX
- names: what nodes are called
"""
