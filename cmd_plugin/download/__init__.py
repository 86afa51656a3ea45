"""Checkpoints by name, fetched so that they can be gone on with, and checked by their SHA-256."""
