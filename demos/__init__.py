"""Small networks that learn while one looks on: digits, moons, xor, mnist, overfitting."""
