"""Coverage + limits -> chosen sites."""
