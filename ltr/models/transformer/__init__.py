"""Transformer over the cells of several feature maps."""
