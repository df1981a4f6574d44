"""What is true of a tenant from the start: computed from a seed and an index, never stored."""
