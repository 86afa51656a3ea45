"""Numerical parity with the stock toolkit is the key requirement: networks, layer by layer."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from ltr.models.layers.prroi_pool import prroi_pool
from ltr.models.loss.target_classification import LBHinge
from tests.parity.named_weights import PROPOSALS, TRAIN_BOXES, stock_dimp, x

RTOL, ATOL = 2e-3, 2e-4
NAMES = ('dimp18', 'dimp50')


def close(ours: torch.Tensor | list, golden: np.ndarray) -> None:
    array = np.asarray(ours.detach() if isinstance(ours, torch.Tensor) else ours)
    np.testing.assert_allclose(array, golden, rtol=RTOL, atol=ATOL)


@pytest.fixture(scope='module', params=NAMES)
def case(request, golden):
    """Network, golden numbers of this network, features of train and test frames."""
    name = request.param
    numbers = {key[len(name) + 1:]: value for key, value in golden('networks').items() if key.startswith(name)}
    net = stock_dimp(name)
    with torch.no_grad():
        train = net.extract_backbone_features(x('train_imgs', (2, 2, 3, 288, 288)).flatten(0, 1))
        test = net.extract_backbone_features(x('test_imgs', (1, 2, 3, 288, 288)).flatten(0, 1))
    return net, numbers, train, test


def test_initial_values_of_the_filter_optimizer(case):
    net, numbers, *_ = case
    state, initial = net.state_dict(), [key for key in numbers if key.startswith('init/')]
    assert len(initial) == 5
    for key in initial:
        np.testing.assert_allclose(state[key[5:]].flatten(), numbers[key].flatten(), rtol=1e-5, atol=1e-6)


def test_backbone(case):
    _, numbers, train, _ = case
    for layer in ('layer2', 'layer3'):
        close(train[layer][:, :8, ::4, ::4], numbers[f'backbone/{layer}/slice'])
        close(train[layer].abs().mean(), numbers[f'backbone/{layer}/meanabs'])


@torch.no_grad()
def test_classifier(case):
    net, numbers, train, test = case
    classifier = net.classifier
    feat = classifier.extract_classification_feat(train['layer3'], 2)
    close(feat.flatten(0, 1)[:, :8], numbers['clf_feat/slice'])
    weights, iterates, losses = classifier.get_filter(feat, TRAIN_BOXES)
    close(torch.stack([w.flatten(1).norm(dim=1) for w in iterates]), numbers['filter/norms'])
    close(weights[:, :8], numbers['filter/final/slice'])
    close(torch.stack(losses).flatten(), numbers['filter/losses'])
    scores = classifier(train['layer3'], test['layer3'], TRAIN_BOXES)
    label = x('label', (1, 2, 19, 19), 0, 1)
    label = torch.where(label > 0.7, label, torch.zeros_like(label))
    hinge = LBHinge(nn.MSELoss(), threshold=0.05)
    assert len(scores) == 6
    for index, score in enumerate(scores):
        close(score, numbers[f'scores/{index}'])
        close(hinge(score, label), numbers['lbhinge'][index])


def test_iou_predictor(case):
    net, numbers, train, test = case
    with torch.no_grad():
        modulation = net.bb_regressor.get_modulation([train[k][:2] for k in ('layer2', 'layer3')], TRAIN_BOXES[0])
        features = net.bb_regressor.get_iou_feat([test[k] for k in ('layer2', 'layer3')])
    for index in range(2):
        close(modulation[index].flatten(1), numbers[f'modulation/{index}'])
        close(features[index][:, :8, ::4, ::4], numbers[f'iou_feat/{index}/slice'])
    boxes = PROPOSALS[0].clone().requires_grad_()
    iou = net.bb_regressor.predict_iou(modulation, features, boxes)
    close(iou[None], numbers['iou'])
    iou.sum().backward()
    close(boxes.grad, numbers['iou_grad_boxes'])


@torch.no_grad()
def test_whole_network(case):
    net, numbers, *_ = case
    scores, iou = net(x('train_imgs', (2, 2, 3, 288, 288)), x('test_imgs', (1, 2, 3, 288, 288)), TRAIN_BOXES, PROPOSALS)
    close(scores[-1], numbers['scores/5'])
    close(iou, numbers['iou'])


@pytest.mark.parametrize(('name', 'keys', 'parameters'), [('dimp50', 407, 43_097_303), ('dimp18', 221, 19_645_911)])
def test_state_dict_counts(name, keys, parameters):
    net = stock_dimp(name)
    assert len(net.state_dict()) == keys
    assert sum(p.numel() for p in net.parameters()) == parameters


def test_state_dict_names():
    state = stock_dimp('dimp50').state_dict()
    optimizer = 'classifier.filter_optimizer'
    for key in (f'{optimizer}.label_map_predictor', f'{optimizer}.target_mask_predictor.0',
                f'{optimizer}.spatial_weight_predictor'):
        assert state[f'{key}.weight'].shape == (1, 100, 1, 1)
    assert state['classifier.feature_extractor.0.weight'].shape == (512, 1024, 3, 3)
    assert state['classifier.filter_initializer.filter_conv.weight'].shape == (512, 512, 3, 3)
    assert state['bb_regressor.fc3_rt.linear.weight'].shape == (256, 6400)
    assert state['bb_regressor.fc4_rt.linear.weight'].shape == (256, 2304)


def test_prroi_values_and_gradients(golden):
    numbers = golden('networks')
    feat = x('prroi.feat', (2, 3, 9, 11)).requires_grad_()
    rois = torch.from_numpy(numbers['prroi/rois']).requires_grad_()
    out = prroi_pool(feat, rois, 3, 1 / 8)
    close(out, numbers['prroi/out'])
    (out * x('prroi.cot', tuple(out.shape))).sum().backward()
    close(feat.grad, numbers['prroi/grad_feat'])
    close(rois.grad[:, 1:], numbers['prroi/grad_rois'][:, 1:])
