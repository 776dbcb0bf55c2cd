"""Measurements too slow or too dependent on a machine for the tests; each is a script."""
