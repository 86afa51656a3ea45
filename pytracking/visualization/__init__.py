"""Seeing what a tracker does: drawings, videos, a live view."""
