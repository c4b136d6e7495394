"""The one place that knows the whole line: command line, registry, convert, reports."""
