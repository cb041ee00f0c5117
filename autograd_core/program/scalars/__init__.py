"""Programs of numbers: taken apart to one operation a number, which a small machine runs."""
