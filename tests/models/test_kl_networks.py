"""The networks of PrDiMP: state dictionaries, constructors that checkpoints name, and the filter they begin with."""

from __future__ import annotations

import math

import pytest
import torch

from ltr.admin.errors import UserError
from ltr.admin.model_constructor import NetConstructor
from ltr.models.target_classifier.features import residual_bottleneck
from ltr.models.tracking.dimpnet import dimpnet18, dimpnet50, klcedimpnet18, klcedimpnet50
from ltr.models.tracking.kldimpnet import PRDIMP_OPTIONS

OPTIMIZER = 'classifier.filter_optimizer.'
MAPS = {f'{OPTIMIZER}{name}.weight' for name in (
    'label_map_predictor', 'target_mask_predictor.0', 'spatial_weight_predictor')}


def build(make, **options):
    return make(backbone_pretrained=False, **options)


@pytest.mark.parametrize(('make', 'dimp', 'keys'), [(klcedimpnet18, dimpnet18, 218), (klcedimpnet50, dimpnet50, 404)])
def test_state_is_that_of_dimp_without_learned_maps(make, dimp, keys):
    ours, theirs = build(make, **PRDIMP_OPTIONS).state_dict(), build(dimp, filter_size=4).state_dict()
    assert len(ours) == keys and set(theirs) - set(ours) == MAPS and set(ours) <= set(theirs)
    assert all(ours[key].shape == theirs[key].shape for key in ours)
    assert {key.removeprefix(OPTIMIZER) for key in ours if key.startswith(OPTIMIZER)} == {
        'log_step_length', 'filter_reg'}


@pytest.mark.parametrize('make', [klcedimpnet18, klcedimpnet50])
def test_checkpoints_name_the_public_module(make):
    """Files of the stock toolkit name it, and its users look there."""
    net = build(make, **PRDIMP_OPTIONS)
    constructor = net.constructor
    assert constructor.fun_module == 'ltr.models.tracking.dimpnet'
    again = NetConstructor(make.__name__, 'ltr.models.tracking.dimpnet', (), constructor.kwds).get()
    assert list(again.state_dict()) == list(net.state_dict())
    with pytest.raises(UserError, match='refused'):
        NetConstructor(make.__name__, 'ltr.models.tracking.kldimpnet').get()


def test_options_of_the_stock_settings():
    net = build(klcedimpnet18, **PRDIMP_OPTIONS)
    optimizer = net.classifier.filter_optimizer
    assert optimizer.log_step_length.item() == 0 and optimizer.num_iter == 5
    assert optimizer.filter_reg.item() == pytest.approx(0.05) and optimizer.min_filter_reg == 0.05
    assert (optimizer.gauss_sigma, optimizer.alpha_eps, optimizer.softmax_reg) == (0.9, 0.05, None)
    assert optimizer.normalize_label and optimizer.uni_weight == optimizer.label_threshold == 0


@torch.no_grad()
@pytest.mark.parametrize('seed', [0, 1, 3])
def test_the_filter_starts_from_zero_descends_and_finds_the_target(seed):
    """Noise with a pattern of 4 x 4 cells at the target: the last filter scores highest where it is in a new frame."""
    torch.manual_seed(seed)
    classifier = build(klcedimpnet18, **PRDIMP_OPTIONS, out_feature_dim=32, clf_feat_blocks=0).classifier
    feat, pattern = torch.randn(3, 32, 18, 18), torch.randn(32, 4, 4)
    for frame, (row, column) in enumerate(((7, 7), (4, 9), (11, 3))):
        feat[frame, :, row:row + 4, column:column + 4] += pattern
    feat = classifier.feature_extractor[-1](feat)[:, None]
    classifier.feature_extractor = None
    train_boxes = torch.tensor([[[112., 112, 64, 64]], [[144, 64, 64, 64]]])
    scores = classifier(feat[:2], feat[2:], train_boxes)
    assert len(scores) == 6 and scores[0].abs().max() == 0 and scores[0].shape == (1, 1, 19, 19)
    assert divmod(int(scores[-1].argmax()), 19) == (13, 5)
    losses = torch.cat(classifier.get_filter(feat[:2], train_boxes)[2])
    assert losses[0].item() == pytest.approx(math.log(361), rel=1e-5) and (losses.diff() < 0).all()


def test_frozen_backbone():
    net = build(klcedimpnet18, train_feature_extractor=False)
    net.train()
    assert not any(weight.requires_grad for weight in net.feature_extractor.parameters())
    assert all(weight.requires_grad for weight in net.classifier.parameters())


def test_final_relu_and_square_pooling():
    torch.manual_seed(0)
    features = residual_bottleneck(4, 0, out_dim=6, final_relu=True)(torch.randn(2, 16, 5, 5))
    assert features.min() == 0 and features.square().mean().item() == pytest.approx(1, rel=1e-4)
    assert build(klcedimpnet18, init_pool_square=True).classifier.filter_initializer.pool_square
