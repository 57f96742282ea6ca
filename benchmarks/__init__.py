"""Stepwell measured beside its peers; `python -m benchmarks` runs everything."""
