"""Actors: one forward pass and its loss."""

from ltr.actors.base_actor import BaseActor
from ltr.actors.tracking import DiMPActor

__all__ = ['BaseActor', 'DiMPActor']
