"""The stock settings of DiMP, by the command line, on a few generated frames."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision

from ltr import run_training
from ltr.admin.errors import UserError
from ltr.admin.loading import load_network
from ltr.admin.settings import Settings
from ltr.models.tracking.dimpnet import dimpnet18, dimpnet50
from ltr.train_settings.dimp import _common, dimp18, dimp50


@pytest.fixture
def backbone(tmp_path: Path) -> Path:
    torch.save(torchvision.models.resnet18().state_dict(), tmp_path / 'resnet18.pth')
    return tmp_path / 'resnet18.pth'


def test_flags_that_do_not_fit():
    with pytest.raises(UserError, match='give --data DIR'):
        run_training.main(['dimp', 'dimp18'])
    with pytest.raises(UserError, match='--batch must be 2 or more'):
        run_training.main(['dimp', 'dimp18', '--data', 'anywhere', '--batch', '1'])
    with pytest.raises(UserError, match='trains dimp18; for --net dimp50 take the setting dimp dimp50'):
        run_training.main(['dimp', 'dimp18', '--net', 'dimp50'])


def test_weights_that_cannot_be_fetched_name_the_way_out(monkeypatch, settings):
    def offline(*args, **kwargs):
        raise OSError('no route to host')
    monkeypatch.setattr(torch.hub, 'load_state_dict_from_url', offline)
    monkeypatch.setattr('torchvision.models._api.load_state_dict_from_url', offline)
    with pytest.raises(UserError, match=r'could not be fetched.*no route to host.*--init'):
        _common.build_network(settings, dimp18.RECIPE)


@pytest.mark.parametrize(('recipe', 'make', 'rates'), [
    (dimp18.RECIPE, dimpnet18, [5e-5, 5e-4, 5e-5, 1e-3, 2e-4]),
    (dimp50.RECIPE, dimpnet50, [5e-5, 5e-4, 5e-5, 2e-4, 2e-5])])
def test_recipe(recipe, make, rates):
    """Learning rates as published; every weight is in one group."""
    assert recipe.network is make
    net = make(backbone_pretrained=False)
    groups = _common.parameter_groups(net, recipe, 0.5)
    assert [group['lr'] for group in groups] == [rate * 0.5 for rate in rates]
    grouped = [id(weight) for group in groups for weight in group['params']]
    assert sorted(grouped) == sorted(id(weight) for weight in net.parameters())


def test_batches_of_the_loader(videos):
    settings = Settings()
    settings.data, settings.samples, settings.batch, settings.workers = [videos], 2, 2, 0
    batch = next(iter(_common.training_loader(settings, dimp18.RECIPE)))
    assert batch['train_images'].shape == batch['test_images'].shape == (3, 2, 3, 288, 288)
    assert batch['test_label'].shape == (3, 2, 19, 19) and batch['test_proposals'].shape == (3, 2, 8, 4)


@pytest.mark.parametrize('bad', [0, 8])
def test_skipped_frames_are_told_even_when_training_fails(videos, settings, monkeypatch, capsys, bad):
    """By a worker process, whose counts must reach this one."""
    class Trainer:
        def __init__(self, actor, loaders, *_):
            self.loader = loaders[0]

        def train(self, *_args, **_more):
            assert len(list(self.loader)) == 4
            raise UserError('the loss is not finite')

    for index in range(bad):
        (videos / 'square' / 'img' / f'{3 * index + 1:04d}.jpg').write_bytes(b'')
    monkeypatch.setattr(_common, 'LTRTrainer', Trainer)
    monkeypatch.setattr(_common, 'build_network', lambda *_: torch.nn.Linear(1, 1))
    monkeypatch.setattr(_common, 'parameter_groups', lambda net, *_: list(net.parameters()))
    monkeypatch.setattr(_common, 'DiMPActor', lambda *_, **__: None)
    recipe = dataclasses.replace(dimp18.RECIPE, frames=1)
    settings.data, settings.samples, settings.batch, settings.workers = [videos], 8, 2, 1
    with pytest.raises(UserError, match='not finite'):
        _common.run(settings, recipe)
    out = capsys.readouterr().out
    assert ('skipped: ' in out and 'files that could not be used' in out) if bad else out == ''


@pytest.mark.slow
def test_two_steps_of_dimp18(videos, backbone, tmp_path, capsys):
    """From a bare backbone to a checkpoint from which the network is rebuilt, every trained part changed."""
    run_training.main(['dimp', 'dimp18', '--data', str(videos), '--init', str(backbone), '--epochs', '1',
                       '--samples', '4', '--batch', '2', '--workers', '0', '--device', 'cpu',
                       '--workspace', str(tmp_path / 'w')])
    assert 'weights of the backbone (122 tensors)' in capsys.readouterr().out
    net, contents = load_network(tmp_path / 'w' / 'checkpoints' / 'ltr' / 'dimp' / 'dimp18')
    assert len(contents['net']) == 221 and contents['constructor'].fun_name == 'dimpnet18'
    assert contents['constructor'].kwds['filter_size'] == 4
    given = torch.load(backbone, weights_only=True)
    trained = net.feature_extractor.state_dict()
    assert torch.equal(trained['fc.weight'], given['fc.weight'])
    assert not torch.equal(trained['layer3.0.conv1.weight'], given['layer3.0.conv1.weight'])
    assert np.isfinite(contents['stats']['train']['Loss/total'].history[0])
