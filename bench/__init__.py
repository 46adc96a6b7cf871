"""Measurements, one question a file; `make bench` runs them all. Nothing here is a test, nothing is asserted on time."""
