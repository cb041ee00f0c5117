"""The course: notebooks, their exercises, and what runs them."""
