"""Programs: what a function computes, as numbered steps that are replayed without the graph."""
