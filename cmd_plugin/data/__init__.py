"""Unlabelled RGB-TIR pairs: found on disk, given a pseudo box, drawn and cropped for the two branches."""

from cmd_plugin.data.paired import PairedDataset
from cmd_plugin.data.processing import cross_modal_processing, split
from cmd_plugin.data.pseudo_boxes import PSEUDO_BOXES, CenterArea, PseudoBox, RandomSampling, make_pseudo_box
from cmd_plugin.data.sampler import PairedSampler
from cmd_plugin.data.visible_twice import VisibleTwice

__all__ = ['PSEUDO_BOXES', 'CenterArea', 'PairedDataset', 'PairedSampler', 'PseudoBox', 'RandomSampling',
           'VisibleTwice', 'cross_modal_processing', 'make_pseudo_box', 'split']
