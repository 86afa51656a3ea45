"""Actors: one forward pass and its loss."""

from ltr.actors.base_actor import BaseActor
from ltr.actors.bbreg import AtomActor
from ltr.actors.kl_dimp import KLDiMPActor
from ltr.actors.kys import KYSActor
from ltr.actors.tomp import ToMPActor
from ltr.actors.tracking import DiMPActor

__all__ = ['AtomActor', 'BaseActor', 'DiMPActor', 'KLDiMPActor', 'KYSActor', 'ToMPActor']
