"""Packages of train settings."""
