"""Where and how trials are run: one after the other in this process, or side by side in worker processes."""
