"""One folder a source language; each turns files into the canonical model."""
