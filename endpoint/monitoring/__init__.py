"""What monitors ask: whether this installation can work, and its numbers."""
