"""Pictures of graphs and networks, and the step-through page."""
