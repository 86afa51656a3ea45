"""A layer taught the features of RGB crops."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from cmd_plugin import checkpoints
from cmd_plugin.reproduce import backbones, stages
from cmd_plugin.reproduce.content import distance, taught
from cmd_plugin.reproduce.pairs import divide_pairs
from cmd_plugin.reproduce.rows import backbones_of, row_named
from cmd_plugin.reproduce.sizes import SIZES
from cmd_plugin.reproduce.store import Store, Views, make_store

CPU = torch.device('cpu')


@pytest.fixture
def stored(parent, data, size):
    net, _ = checkpoints.load(parent.parent)
    make_store(parent.store('center_area'), [net, net],
               Views(divide_pairs(data.root / 'pairs')[0], 'center_area', None, size), CPU)
    return parent


def test_layer3_comes_nearer_and_nothing_else_moves(stored):
    net = checkpoints.load(stored.parent)[0].eval()
    store = Store(stored.store('center_area'))
    made = taught(net, store, 20, CPU)
    rgb = np.arange(0, 4 * len(store), 2)
    with torch.no_grad():
        far, near = (distance(one.feature_extractor.layer3, store, rgb, CPU).item() for one in (net, made))
        assert near < 0.95 * far
    before, after = net.state_dict(), made.state_dict()
    moved = {key for key in before if not torch.equal(before[key], after[key])}
    assert moved and all(key.startswith('feature_extractor.layer3.') and 'running' not in key for key in moved)
    assert all(torch.equal(value, after[key]) for key, value in taught(net, store, 20, CPU).state_dict().items())


def test_rgb_teaches_rgb_nothing(stored):
    """Why the control wears the parent's backbone."""
    net = checkpoints.load(stored.parent)[0].eval()
    store = Store(stored.store('center_area'))
    maps = store.features(torch.zeros(1, 3, 1, 1))
    with torch.no_grad():
        torch.testing.assert_close(net.feature_extractor.layer3(maps['layer2']), maps['layer3'], rtol=2e-2, atol=2e-3)


@pytest.mark.parametrize('name', ['renormed', 'content'])
def test_a_backbone_is_kept_by_its_name(stored, data, size, name):
    backbones.make(data, stored, size, name, 'cpu')
    net, contents = checkpoints.load(stored.backbone(name))
    assert contents['net_info']['recipe'] == name
    parent = checkpoints.load(stored.backbone(''))[0].state_dict()
    assert not checkpoints.same_backbone(net.state_dict(), parent)
    assert all(torch.equal(value, parent[key]) for key, value in net.state_dict().items()
               if not key.startswith('feature_extractor.'))


def test_what_a_row_needs_is_made_before_it(work, data):
    assert backbones_of(['d3', 'tcl_content']) == ['content'] and backbones_of(SIZES['quick'].rows) == []
    size = replace(SIZES['evening'], rows=(*SIZES['evening'].rows, 'd3_boxes_content', 'tcl_renormed', 'd3_varied'))
    made = stages.pieces(stages.Experiment(data, work, size, 1), ['candidates'])
    places = {piece.out: place for place, piece in reversed(list(enumerate(made)))}
    for name in size.rows:
        row = row_named(name)
        order = [work.store('center_area'), work.backbone(row.backbone), work.store(row.samples),
                 work.candidate(name, size.rates[0])]
        order = [path for path in order if path != work.parent]
        assert [places[path] for path in order] == sorted(places[path] for path in order)
