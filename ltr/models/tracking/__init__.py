"""Complete tracker networks."""
