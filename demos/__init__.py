"""Small networks that learn while one looks on: demos.digits and demos.moons."""
