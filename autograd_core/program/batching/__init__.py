"""A function of one sample, carried out for all of them at once."""
