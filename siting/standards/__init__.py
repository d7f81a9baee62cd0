"""Policy rules as data."""
