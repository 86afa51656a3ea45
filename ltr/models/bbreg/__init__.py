"""Bounding-box regression: by predicted IoU (ATOM), or from every cell (ToMP)."""
