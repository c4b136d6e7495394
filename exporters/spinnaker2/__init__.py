"""SpiNNaker2 C with a PyNN-compatible Python class."""
