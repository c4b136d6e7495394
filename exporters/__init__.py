"""One folder a target; each turns the canonical model into files."""
