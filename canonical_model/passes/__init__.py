"""Passes that belong to no format: flatten, wire a network into a circuit, scale units."""
