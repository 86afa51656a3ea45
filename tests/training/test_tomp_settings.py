"""The settings of ToMP: numbers of the paper, batches, and a run from a bare backbone to a checkpoint."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision

from ltr import run_training
from ltr.admin.errors import UserError
from ltr.admin.loading import load_network
from ltr.admin.settings import Settings
from ltr.models.tracking.tompnet import tompnet18, tompnet50, tompnet_small
from ltr.train_settings._shared import check_net
from ltr.train_settings.tomp import _common, tomp18, tomp50, tomp_small


def test_numbers_of_the_paper():
    for recipe, make in ((tomp50.RECIPE, tompnet50), (tomp18.RECIPE, tompnet18)):
        assert recipe.network is make and (recipe.lr, recipe.backbone_lr) == (1e-4, 2e-5)
        assert (recipe.frames, recipe.epochs, recipe.decays, recipe.samples) == ((2, 1), 300, (150, 250), 40_000)
        assert (recipe.output_sz, recipe.label_sigma) == (288, 0.05)
    assert _common.actor(tompnet_small(), tomp50.RECIPE).loss_weight == {'test_clf': 100.0, 'giou': 1.0}
    assert _common.actor(tompnet_small(), tomp_small.RECIPE).loss_weight == {'test_clf': 100.0, 'giou': 20.0}


def test_every_weight_has_a_rate():
    net = tompnet_small()
    groups = _common.parameter_groups(net, tomp50.RECIPE, 0.5)
    assert [group['lr'] for group in groups] == [5e-5, 1e-5]
    assert sorted(id(w) for group in groups for w in group['params']) == sorted(id(w) for w in net.parameters())


@pytest.mark.parametrize(('recipe', 'side'), [(tomp18.RECIPE, 288), (tomp_small.RECIPE, 144)])
def test_batches_of_the_loader(videos, recipe, side):
    settings = Settings()
    settings.data, settings.samples, settings.batch, settings.workers = [videos], 2, 2, 0
    batch = next(iter(_common.training_loader(settings, recipe)))
    cells = side // 16
    assert batch['train_images'].shape == (2, 2, 3, side, side) and batch['test_images'].shape == (1, 2, 3, side, side)
    assert batch['train_anno'].shape == (2, 2, 4) and batch['test_label'].shape == (1, 2, cells, cells)
    centre = batch['test_anno'][0, 0, :2] + batch['test_anno'][0, 0, 2:] / 2
    row, column = divmod(int(batch['test_label'][0, 0].argmax()), cells)
    assert ((centre / 16 - torch.tensor([column, row]) - 0.5).abs() <= 0.5 + 1e-4).all()
    assert 'test_proposals' not in batch


def trained(name: str, videos: Path, tmp_path: Path, *flags: str) -> dict:
    run_training.main(['tomp', name, '--data', str(videos), '--epochs', '1', '--samples', '4', '--batch', '2',
                       '--workers', '0', '--device', 'cpu', '--workspace', str(tmp_path / 'w'), *flags])
    net, contents = load_network(tmp_path / 'w' / 'checkpoints' / 'ltr' / 'tomp' / name)
    assert np.isfinite(contents['stats']['train']['Loss/giou'].history[0])
    assert all(torch.equal(value, contents['net'][key]) for key, value in net.state_dict().items())
    return contents


def test_two_steps_of_the_small_one(videos, tmp_path):
    contents = trained('tomp_small', videos, tmp_path)
    assert contents['constructor'].fun_name == 'tompnet_small' and contents['actor_type'] == 'ToMPActor'
    assert contents['constructor'].kwds['label_sigma'] == 0.1
    again = trained('tomp_small', videos, tmp_path / 'again')
    assert all(torch.equal(value, again['net'][key]) for key, value in contents['net'].items()), 'same seed, same net'


@pytest.mark.slow
def test_two_steps_from_a_bare_backbone(videos, tmp_path):
    """Every part learns; the backbone's batch norms keep their statistics."""
    torch.save(torchvision.models.resnet18().state_dict(), tmp_path / 'resnet.pth')
    contents = trained('tomp18', videos, tmp_path, '--init', str(tmp_path / 'resnet.pth'))
    given = torch.load(tmp_path / 'resnet.pth', weights_only=True)
    net = contents['net']
    assert not torch.equal(net['feature_extractor.layer3.0.conv1.weight'], given['layer3.0.conv1.weight'])
    assert torch.equal(net['feature_extractor.bn1.running_mean'], given['bn1.running_mean'])


def test_another_network_is_sent_to_its_setting():
    settings = Settings()
    settings.net = 'tomp18'
    with pytest.raises(UserError, match='this setting trains tomp50; for --net tomp18 take the setting tomp tomp18'):
        check_net(settings, 'tomp50')
