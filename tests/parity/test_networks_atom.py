"""Numerical parity with the stock toolkit is the key requirement: ATOM's networks."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.parity.named_weights import PROPOSALS, TRAIN_BOXES, stock_atom, x


@pytest.fixture(scope='module', params=['atom18', 'atom50'])
def case(request):
    return request.param, stock_atom(request.param)


@torch.no_grad()
def test_predicted_iou(case, golden):
    name, net = case
    iou = net(x('train_imgs', (2, 2, 3, 288, 288))[:1], x('test_imgs', (1, 2, 3, 288, 288)), TRAIN_BOXES[:1], PROPOSALS)
    np.testing.assert_allclose(iou, golden('networks')[f'{name}/iou'], rtol=2e-3, atol=2e-4)


@torch.no_grad()
def test_by_the_methods_that_dimp_offers(case, golden):
    """Backbone, modulation vectors, IoU features and prediction one by one, as components of distillation use them."""
    name, net = case
    reference = net.extract_backbone_features(x('train_imgs', (2, 2, 3, 288, 288))[0])
    test = net.extract_backbone_features(x('test_imgs', (1, 2, 3, 288, 288))[0])
    assert list(reference) == ['layer2', 'layer3']
    modulation = net.bb_regressor.get_modulation(net.get_backbone_bbreg_feat(reference), TRAIN_BOXES[0])
    features = net.bb_regressor.get_iou_feat(net.get_backbone_bbreg_feat(test))
    iou = net.bb_regressor.predict_iou(modulation, features, PROPOSALS[0])
    np.testing.assert_allclose(iou[None], golden('networks')[f'{name}/iou'], rtol=2e-3, atol=2e-4)


def test_state_dict_counts(case):
    name, net = case
    keys, parameters = {'atom18': (201, 17_285_033), 'atom50': (399, 36_018_601)}[name]
    assert len(net.state_dict()) == keys
    assert sum(p.numel() for p in net.parameters()) == parameters


def test_only_the_iou_predictor_learns(case):
    _, net = case
    assert {key.split('.')[0] for key, p in net.named_parameters() if p.requires_grad} == {'bb_regressor'}
    assert all(p.requires_grad for p in net.bb_regressor.parameters())
