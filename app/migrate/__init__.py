"""Convert a folder of models to several targets: in parallel, within limits, resumable."""
