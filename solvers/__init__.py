"""Classify ODE systems, derive propagators, run the reference simulator."""
