"""The network's filter optimiser, with what a parameter file says in its place."""

from __future__ import annotations

import copy
from typing import Any

from torch import Tensor

from ltr.admin.errors import UserError
from pytracking.utils.params import TrackerParams

REPLACED = ('label_threshold', 'label_shrink', 'softmax_reg')
"""Parameters that replace attributes of the same name."""


def tracking_optimizer(net: Any, params: TrackerParams) -> Any:
    """The filter optimiser to track with: the network's own, or a changed copy, since networks are shared by trackers.

    Args:
        net: the network; `net.classifier.filter_optimizer`.
        params: `label_threshold`, `label_shrink`, `softmax_reg`, and `filter_reg`, which replaces the regularisation's
            root and its floor; `None` or absent changes nothing.

    Raises:
        UserError: the network's optimiser has no such attribute.
    """
    optimizer = net.classifier.filter_optimizer
    wanted = {name: params.get(name, None) for name in (*REPLACED, 'filter_reg')}
    wanted = {name: value for name, value in wanted.items() if value is not None}
    if not wanted:
        return optimizer
    missing = [name for name in wanted if not hasattr(optimizer, name)]
    if missing:
        raise UserError(f'the network has a {type(optimizer).__name__}, which knows no {", ".join(missing)}: remove '
                        'this from the parameter file')
    optimizer = copy.deepcopy(optimizer)
    for name, value in wanted.items():
        if name == 'filter_reg':
            optimizer.filter_reg.data.fill_(float(value))
            optimizer.min_filter_reg = float(value)
        else:
            setattr(optimizer, name, float(value))
    return optimizer


def initial_filter(net: Any, features: Tensor, boxes: Tensor, params: TrackerParams) -> Tensor:
    """Filter (q, C, k, k) before the first step: the initialiser's, or zero with `filter_init_zero`.

    Args:
        net: the network.
        features: (n, q, C, H, W).
        boxes: (n, q, 4) `xywh`, crop px.
        params: `filter_init_zero`.
    """
    classifier = net.classifier
    if params.get('filter_init_zero', False):
        size = classifier.filter_size
        return features.new_zeros(*features.shape[1:3], size, size)
    start: Tensor = classifier.filter_initializer(features, boxes)
    return start


