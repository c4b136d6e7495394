"""Interspike's own text form as a source."""
