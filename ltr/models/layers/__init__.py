"""Building blocks that carry no knowledge of tracking."""
