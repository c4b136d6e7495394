"""NineML 1.0 as a target, in YAML, XML and JSON."""
