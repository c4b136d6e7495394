"""The hub: canonical data types, units, expressions, diagnostics and format-neutral passes."""
