"""Road table -> arrays."""
