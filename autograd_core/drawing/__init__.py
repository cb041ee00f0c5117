"""Pictures of graphs and networks, and the step-through page.

- draw: the functions; picture: what they return
- boxes: what is shown of a node; folding: which nodes share a box
- network: layers of neurons; page: the step-through page
- dot: DOT text, and Graphviz, which draws it
"""
