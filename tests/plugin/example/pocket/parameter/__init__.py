"""Packages of tracking parameters."""
