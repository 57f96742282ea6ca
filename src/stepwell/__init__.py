"""Stepwell: a learning-rate workbench for PyTorch. Importing it does not import torch."""
