"""A planner's files -> checked tables."""
