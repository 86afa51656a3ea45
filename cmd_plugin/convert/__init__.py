"""Checkpoints from one form into another, put together from two files, as the difference to a parent; and told."""
