"""Benchmarks: one a file, each printing a ratio against a peer or a bound. Run one as `python -m bench.<name>`."""
