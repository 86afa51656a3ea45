"""Tracker parameters: one package a tracker, one module a setting."""
