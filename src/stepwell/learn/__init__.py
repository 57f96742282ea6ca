"""The course: content as data, every answer of which is proved by running PyTorch.

Reading content and progress needs no torch; programs run in a worker process (`worker`).
"""
