"""Small helpers of the tracking side."""
