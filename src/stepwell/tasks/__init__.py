"""What can be trained, and the only training loop in the house."""
