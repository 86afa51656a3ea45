"""Bounding-box regression by predicted IoU (ATOM)."""
