"""Bounding-box regression: ATOM (Danelljan et al., "Accurate Tracking by Overlap Maximization", CVPR 2019)."""
