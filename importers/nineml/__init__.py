"""NineML (9ML) 1.0 and its 2.0 draft, in YAML, XML and JSON."""
