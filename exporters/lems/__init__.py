"""LEMS and NeuroML2 exporter."""
