"""CMD-PrDiMP and CMD-SuperDiMP against the stock settings of their parents: networks, crops, labels, parameters."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from cmd_plugin import cli, networks
from cmd_plugin.data import cross_modal_processing
from cmd_plugin.errors import UserError
from cmd_plugin.families import FAMILIES
from cmd_plugin.table1.report import table
from cmd_plugin.training import STRIDE
from ltr.admin.model_constructor import NetConstructor
from ltr.data.kl_proposals import mixture_density, normal_density
from ltr.data.processing import DiMPProcessing, KLDiMPProcessing
from ltr.tensors import TensorDict
from ltr.train_settings.dimp import _kl, dimp18, dimp50, prdimp18, prdimp50, super_dimp
from pytracking.parameter.dimp import prdimp18 as prdimp18_tracking
from pytracking.parameter.dimp import prdimp50 as prdimp50_tracking
from pytracking.parameter.dimp import super_dimp as super_dimp_tracking

STOCK = {('cmd_dimp', 'dimp50'): dimp50, ('cmd_dimp', 'dimp18'): dimp18, ('cmd_prdimp', 'prdimp50'): prdimp50,
         ('cmd_prdimp', 'prdimp18'): prdimp18, ('cmd_super_dimp', 'super_dimp'): super_dimp}
KL = {key: stock for key, stock in STOCK.items() if key[0] != 'cmd_dimp'}
NAMES = [' '.join(key) for key in KL]


def processing_of(tracker: str, name: str) -> DiMPProcessing:
    """As `training.train` makes it."""
    family = FAMILIES[tracker]
    network = family.networks[name]
    return cross_modal_processing(**{'output_sz': network.crop_size, 'feature_sz': network.crop_size // STRIDE,
                                     'label_sigma': network.label_sigma, **family.processing, **network.processing})


@pytest.mark.parametrize('key', STOCK, ids=' '.join)
def test_networks_have_the_stock_arguments(key):
    """`clf_feat_norm` and `final_conv` are the constructors' own defaults here, and named for a stock toolkit."""
    network, recipe = FAMILIES[key[0]].networks[key[1]], STOCK[key].RECIPE
    assert network.function == recipe.network.__name__ and network.module == recipe.network.__module__
    arguments = {**network.arguments, 'backbone_pretrained': False}
    assert {name: arguments.pop(name) for name in recipe.options} == {
        name: pytest.approx(value) if isinstance(value, float) else value for name, value in recipe.options.items()}
    assert arguments == {'backbone_pretrained': False, 'clf_feat_norm': True, 'final_conv': True}
    assert network.crop_size == recipe.output_sz


@pytest.mark.parametrize('key', KL, ids=NAMES)
def test_crops_proposals_and_labels_are_those_of_the_stock_training(key):
    ours = processing_of(*key)
    make = _kl.super_dimp_processing if key[1] == 'super_dimp' else _kl.prdimp_processing
    stock = make(STOCK[key].RECIPE)
    assert type(ours) is type(stock) is KLDiMPProcessing
    for name in ('search_area_factor', 'output_sz', 'center_jitter_factor', 'scale_jitter_factor', 'crop_type',
                 'max_scale_change', 'mode'):
        assert getattr(ours, name) == getattr(stock, name), name
    for name in ('proposal_params', 'label_function_params', 'label_density_params'):
        mine, theirs = getattr(ours, name), getattr(stock, name)
        assert mine == (theirs if name == 'proposal_params' or theirs is None else pytest.approx(dict(theirs)))


@pytest.mark.parametrize('key', [*KL, ('cmd_super_dimp', 'super_dimp_small'), ('cmd_prdimp', 'prdimp_small')],
                         ids=' '.join)
def test_a_sample_of_a_pair(key, rng):
    """Six channels, a box and densities of its own for each branch."""
    torch.manual_seed(0)
    pair = rng.integers(0, 255, (200, 320, 6), dtype='uint8')
    box = torch.tensor([150.0, 80, 40, 40])
    processing = processing_of(*key)
    side, cells = processing.output_sz, processing.output_sz // STRIDE + 1
    data = processing(TensorDict({'train_images': [pair], 'test_images': [pair], 'train_anno': [box],
                                  'test_anno': [box.clone()]}))
    assert data['test_images'].shape == data['train_images'].shape == (1, 6, side, side)
    assert data['test_proposals'].shape == (1, 128, 4)
    assert 'proposal_iou' not in data and (data['proposal_density'] > 0).all()
    target = data['test_anno'][0]
    assert (target[:2] > -target[2:] / 2).all() and (target[:2] + target[2:] / 2 < side).all()
    offset = relative(data['test_proposals'][0], target) - relative(target, target)
    torch.testing.assert_close(data['gt_density'][0], normal_density(offset, (0.05, 0.05)), rtol=2e-3, atol=1e-3)
    torch.testing.assert_close(data['proposal_density'][0], mixture_density(offset, ((0.05, 0.05), (0.5, 0.5))),
                               rtol=2e-3, atol=1e-3)
    name = 'test_label_density' if key[0] == 'cmd_prdimp' else 'test_label'
    assert ('test_label' in data, 'test_label_density' in data) == (name == 'test_label', name != 'test_label')
    label = data[name][0]
    assert label.shape == (cells, cells)
    row, column = divmod(int(label.argmax()), cells)
    centre = (target[:2] + target[2:] / 2) / STRIDE
    assert abs(column - centre[0]) <= 0.5 + 1e-4 and abs(row - centre[1]) <= 0.5 + 1e-4
    assert label.sum().item() == pytest.approx(1, abs=1e-5) or name == 'test_label'


def relative(box: torch.Tensor, reference: torch.Tensor) -> torch.Tensor:
    return torch.cat(((box[..., :2] + box[..., 2:] / 2) / reference[2:], box[..., 2:].log()), dim=-1)


def test_an_unknown_density_is_an_error():
    with pytest.raises(ValueError, match=r"densities must be one of .* not 'scores'"):
        cross_modal_processing(densities='scores')


@pytest.mark.parametrize(('tracker', 'size', 'stock'), [
    ('cmd_prdimp', 288, prdimp18_tracking), ('cmd_prdimp', 352, prdimp50_tracking),
    ('cmd_prdimp', 144, prdimp18_tracking), ('cmd_super_dimp', 352, super_dimp_tracking)])
def test_tracking_parameters_are_the_parent_s(tracker, size, stock):
    ours, theirs = vars(FAMILIES[tracker].parameters(size)), vars(stock.parameters())
    different = {name for name, value in theirs.items() if name != 'net' and ours[name] != value}
    assert different == ({'image_sample_size'} if size == 144 else set()) and ours['image_sample_size'] == size
    assert ours['box_refinement_space'] == 'relative'


def contents(function: str, **arguments) -> dict:
    return {'constructor': NetConstructor(function, 'ltr.models.tracking.dimpnet', (), arguments)}


SUPER = contents('dimpnet50', init_gauss_sigma=0.25 / 6 * 22)


def test_super_dimp_and_dimp_are_told_apart_by_their_label():
    """Both are made by `dimpnet50`; a network of the other would be cropped and taught wrongly."""
    path, dimp = Path('x.pth.tar'), contents('dimpnet50', init_gauss_sigma=0.9)
    networks.check_kind(path, SUPER, 'cmd_super_dimp')
    networks.check_kind(path, dimp, 'cmd_dimp')
    with pytest.raises(UserError, match=re.escape('holds a dimpnet50 with init_gauss_sigma 0.9, which is no network of '
                                                  'cmd_super_dimp: it takes super_dimp, super_dimp_small')):
        networks.check_kind(path, dimp, 'cmd_super_dimp')
    with pytest.raises(UserError, match=r'holds a dimpnet50 with init_gauss_sigma 0\.917, which is no .* of cmd_dimp'):
        networks.check_kind(path, SUPER, 'cmd_dimp')
    networks.check_kind(path, contents('dimpnet50'), 'cmd_super_dimp')  # it does not say
    assert networks.family_of(path, SUPER) == 'cmd_super_dimp' and networks.family_of(path, dimp) == 'cmd_dimp'
    assert networks.family_of(path, contents('klcedimpnet18')) == 'cmd_prdimp'


@pytest.mark.parametrize(('found', 'tracker', 'size'), [
    (SUPER, '', 352), (SUPER, 'cmd_super_dimp', 352), (contents('klcedimpnet18'), '', 288),
    (contents('klcedimpnet50'), 'cmd_prdimp', 352), (contents('dimpnet_small'), 'cmd_super_dimp', 144),
    (contents('dimpnet50', init_gauss_sigma=0.9), '', 288), (contents('stranger'), '', 288)])
def test_crop_size_of_a_network(found, tracker, size):
    net = torch.nn.Module()
    object.__setattr__(net, 'constructor', found['constructor'])
    assert networks.crop_size(net, tracker) == size


@pytest.mark.parametrize('name', ['prdimp18', 'prdimp_small', 'super_dimp_small'])
def test_new_networks_are_the_constructors_own(name):
    tracker = 'cmd_super_dimp' if 'super' in name else 'cmd_prdimp'
    net = networks.new_network(name, tracker)
    known = FAMILIES[tracker].networks[name]
    assert hasattr(importlib.import_module(known.module), known.function)
    assert networks.description(net, tracker) is known


def test_table_1_has_no_figures_of_them_and_the_world_no_parents():
    result = SimpleNamespace(result=SimpleNamespace(
        protocol=SimpleNamespace(name='lsotb', measures=('success',)), sequences=['a'], frames=np.array([3]),
        figure=lambda name: 0.5))
    text = table('cmd_prdimp', [{'d3': result}], [0])
    assert '50.0' in text and 'published' not in text and 'RGB-TIR' in text
    with pytest.raises(UserError, match='--world has parents for cmd_dimp and cmd_atom alone, not for cmd_super_dimp'):
        cli.main(['table1', '--world', '--size', 'test', '--tracker', 'cmd_super_dimp'])
