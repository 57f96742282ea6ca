"""The rate for a model, measured. Importing this room does not import torch."""
