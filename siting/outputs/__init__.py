"""Results -> files."""
