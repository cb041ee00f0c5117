"""Programs of arrays: NumPy calls into buffers, and loops in machine code."""
