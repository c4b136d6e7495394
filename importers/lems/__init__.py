"""NeuroML2 and LEMS: parse the whole language and lower it into the canonical model."""
