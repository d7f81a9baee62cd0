"""Distances + standard -> who is served."""
