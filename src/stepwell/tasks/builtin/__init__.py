"""Tasks that come with Stepwell, one per file; `digits_mlp.py` is the smallest and shows how the next is written."""
