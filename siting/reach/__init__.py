"""Arrays -> distances and shapes."""
