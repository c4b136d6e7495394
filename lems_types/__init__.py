"""LEMS component types: syntax, NeuroML2's standard library, inheritance, and what a component means."""
