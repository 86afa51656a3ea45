"""The family: which network, which component, which rows."""

from __future__ import annotations

from typing import Any

from cmd_plugin.families import Family, Network
from cmd_plugin.recipe import CMDRecipe
from pocket.component import Match
from pocket.network import CROP, STRIDE
from pocket.tracker import get_tracker_class

LABEL = {'feature_sz': CROP // STRIDE, 'target_filter_sz': 1}
"""A map of 16 cells, scores in the middle of cells."""


def parameters(crop_size: int) -> Any:
    """Parameters of tracking, without a network."""
    from pocket.parameter.pocket.default import tracking
    return tracking(crop_size)


CMD_POCKET = Family(
    'cmd_pocket', 'pocket',
    networks={'pocket': Network('pocket.network', 'pocketnet', {}, CROP, label_sigma=0.1, processing=LABEL)},
    components={'match': Match()}, tracker=get_tracker_class, parameters=parameters, file='pocket.pth.tar',
    rows=(CMDRecipe('a1', 'the parent'),
          CMDRecipe('b1', 'the target is seen in TIR', components=('match',), student='reference', lr={'match': 1e-4}),
          CMDRecipe('b2', 'TIR is searched', components=('match',), student='test', lr={'match': 1e-4})))
