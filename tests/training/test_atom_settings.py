"""The settings of ATOM, by the command line, on a few generated frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from safetensors.torch import save_file
from torch import nn

from ltr import run_training
from ltr.actors import AtomActor
from ltr.admin import checkpoint, portable
from ltr.admin.errors import UserError
from ltr.admin.loading import load_network
from ltr.admin.settings import Settings
from ltr.models.bbreg.atom import atom_resnet18, atom_resnet50
from ltr.models.bbreg.atom import atom_small as atom_small_net
from ltr.models.tracking.dimpnet import dimpnet18, dimpnet_small
from ltr.train_settings._shared import SETTINGS
from ltr.train_settings.bbreg import _common, atom, atom_small
from ltr.train_settings.kys import _common as kys


def train(videos: Path, workspace: Path, name: str, epochs: int, *more: str) -> Path:
    """Short training; returns the folder of its checkpoints."""
    run_training.main(['bbreg', name, '--data', str(videos), '--epochs', str(epochs), '--samples', '8', '--batch', '4',
                       '--workers', '0', '--device', 'cpu', '--workspace', str(workspace), *more])
    return workspace / 'checkpoints' / 'ltr' / 'bbreg' / name


def test_flags_that_do_not_fit():
    with pytest.raises(UserError, match='give --data DIR'):
        run_training.main(['bbreg', 'atom'])
    with pytest.raises(UserError, match='--batch must be 2 or more'):
        run_training.main(['bbreg', 'atom', '--data', 'anywhere', '--batch', '1'])
    with pytest.raises(UserError, match='trains atom18 or atom50; for --net dimp50 take the setting dimp dimp50'):
        run_training.main(['bbreg', 'atom', '--net', 'dimp50'])
    with pytest.raises(UserError, match='trains dimp18; for --net atom50 take the setting bbreg atom --net atom50'):
        run_training.main(['dimp', 'dimp18', '--net', 'atom50'])
    with pytest.raises(UserError, match='trains atom_small; for --net atom18'):
        run_training.main(['bbreg', 'atom_small', '--net', 'atom18'])


@pytest.mark.parametrize(('name', 'make'), [('atom18', atom_resnet18), ('atom50', atom_resnet50)])
def test_recipe(name, make):
    """As published; only the IoU predictor learns."""
    recipe = atom.RECIPES[name]
    assert recipe.network is make
    assert (recipe.batch, recipe.samples // recipe.batch, recipe.proposals) == (64, 1000, 16)
    net = make(backbone_pretrained=False)
    group, = _common.parameter_groups(net, recipe, 0.5)
    assert group['lr'] == 0.5e-3
    assert {id(p) for p in group['params']} == {id(p) for p in net.bb_regressor.parameters()}


def test_the_small_network_learns_as_a_whole():
    net = atom_small_net()
    groups = _common.parameter_groups(net, atom_small.RECIPE, 1.0)
    assert sorted(id(p) for group in groups for p in group['params']) == sorted(id(p) for p in net.parameters())
    assert all(p.requires_grad for p in net.parameters())
    with pytest.raises(ValueError, match='no pretrained backbone'):
        atom_small_net(backbone_pretrained=True)


def test_batches_of_the_loader(videos):
    settings = Settings()
    settings.data, settings.samples, settings.batch, settings.workers = [videos], 4, 4, 0
    batch = next(iter(_common.training_loader(settings, atom.RECIPES['atom18'])))
    assert batch['train_images'].shape == batch['test_images'].shape == (1, 4, 3, 288, 288)
    assert batch['test_proposals'].shape == (1, 4, 16, 4) and batch['proposal_iou'].shape == (1, 4, 16)
    # The reference crop is exactly centred and five times as large as the target; the test crop is neither.
    centred = torch.tensor([143.5 - 28.8, 143.5 - 28.8, 57.6, 57.6])
    torch.testing.assert_close(batch['train_anno'], centred.expand(1, 4, 4), atol=1e-3, rtol=0)
    assert not torch.isclose(batch['test_anno'], centred).all(dim=-1).any()


def small_batch(rng: np.random.Generator) -> dict[str, torch.Tensor]:
    images = torch.from_numpy(rng.standard_normal((2, 1, 3, 3, 144, 144)).astype(np.float32))
    boxes = torch.tensor([[60.0, 60, 30, 24]]).expand(1, 3, 4)
    proposals = boxes[:, :, None] + torch.from_numpy(rng.uniform(-5, 5, (1, 3, 7, 4)).astype(np.float32))
    return {'train_images': images[0], 'test_images': images[1], 'train_anno': boxes, 'test_proposals': proposals,
            'proposal_iou': torch.from_numpy(rng.uniform(-1, 1, (1, 3, 7)).astype(np.float32))}


def test_actor_is_the_squared_error_of_all_proposals(rng):
    torch.manual_seed(0)
    net = atom_small_net().eval()
    data = small_batch(rng)
    actor = AtomActor(net, nn.MSELoss())
    loss, stats = actor(data)
    predicted = net(*(data[key] for key in ('train_images', 'test_images', 'train_anno', 'test_proposals')))
    assert predicted.shape == (1, 3, 7)
    assert loss.item() == pytest.approx(((predicted - data['proposal_iou']) ** 2).mean().item(), rel=1e-6)
    assert stats == {'Loss/total': loss.item(), 'Loss/iou': loss.item()}
    loss.backward()
    without = {name.split('.')[0] for name, p in net.named_parameters() if p.grad is None}
    assert without == set()


def test_training_ends_with_a_network_that_is_rebuilt(videos, tmp_path):
    folder = train(videos, tmp_path / 'w', 'atom_small', 1)
    net, contents = load_network(folder)
    assert (folder / 'ATOMnet_ep0001.pth.tar').is_file() and contents['actor_type'] == 'AtomActor'
    assert contents['constructor'].fun_name == 'atom_small' and len(contents['net']) == 139
    assert torch.equal(net.state_dict()['bb_regressor.conv3_1r.0.weight'],
                       contents['net']['bb_regressor.conv3_1r.0.weight'])
    assert np.isfinite(contents['stats']['train']['Loss/total'].history[0])


def test_a_resumed_run_is_the_whole_run(videos, tmp_path, same):
    train(videos, tmp_path / 'parts', 'atom_small', 1)
    resumed = checkpoint.read(train(videos, tmp_path / 'parts', 'atom_small', 2) / 'ATOMnet_ep0002.pth.tar')
    whole = checkpoint.read(train(videos, tmp_path / 'whole', 'atom_small', 2) / 'ATOMnet_ep0002.pth.tar')
    for key in ('net', 'optimizer', 'stats', 'lr_scheduler', 'rng'):
        assert same(resumed[key], whole[key]), key
    first = checkpoint.read(tmp_path / 'parts' / 'checkpoints/ltr/bbreg/atom_small/ATOMnet_ep0001.pth.tar')
    assert not same(first['net'], whole['net'])


def test_starts_from_what_a_dimp_network_shares_with_it(videos, tmp_path, capsys):
    dimp = dimpnet_small()
    path = checkpoint.save(tmp_path / 'dimp.pth.tar', {'net': dimp.state_dict(), 'constructor': dimp.constructor})
    net = atom_small_net()
    message = _common.load_tracker(net, path)
    left = [key for key in dimp.state_dict() if key not in net.state_dict()]
    assert f'; {len(left)} tensors of a classifier are left out' in message
    assert all(torch.equal(value, dimp.state_dict()[key]) for key, value in net.state_dict().items())
    train(videos, tmp_path / 'w', 'atom_small', 1, '--init', str(path), '--lr-scale', '1e-9')
    assert 'tensors of a classifier are left out' in capsys.readouterr().out
    started, _ = load_network(tmp_path / 'w' / 'checkpoints' / 'ltr' / 'bbreg' / 'atom_small')
    for key, value in started.named_parameters():
        torch.testing.assert_close(value, dimp.state_dict()[key])


def test_weights_of_another_network(videos, tmp_path):
    path = checkpoint.save(tmp_path / 'dimp18.pth.tar', {'net': dimpnet18(backbone_pretrained=False).state_dict()})
    with pytest.raises(UserError, match='of another network than ATOMnet'):
        train(videos, tmp_path / 'w', 'atom_small', 1, '--init', str(path))
    assert not (tmp_path / 'w' / 'checkpoints').exists()
    with pytest.raises(UserError, match='no checkpoint file'):
        train(videos, tmp_path / 'w', 'atom_small', 1, '--init', str(tmp_path / 'absent.pth.tar'))


@pytest.mark.slow
def test_two_steps_of_atom(videos, tmp_path, capsys):
    """From a bare backbone, whose weights stay while its batch-norm statistics follow the images, as in stock."""
    given = torchvision.models.resnet18().state_dict()
    torch.save(given, tmp_path / 'resnet18.pth')
    folder = train(videos, tmp_path / 'w', 'atom', 1, '--init', str(tmp_path / 'resnet18.pth'))
    assert 'weights of the backbone (122 tensors)' in capsys.readouterr().out
    net, contents = load_network(folder)
    assert len(contents['net']) == 201 and contents['constructor'].fun_name == 'atom_resnet18'
    trained = net.feature_extractor.state_dict()
    assert all(torch.equal(trained[key], value) for key, value in given.items()
               if not key.endswith(('running_mean', 'running_var', 'num_batches_tracked')))
    assert not torch.equal(trained['layer2.0.bn1.running_mean'], given['layer2.0.bn1.running_mean'])


def test_starts_from_safetensors_as_well(tmp_path):
    dimp = dimpnet_small()
    for described in (True, False):
        path = tmp_path / f'{described}.safetensors'
        if described:
            portable.write(path, {'net': dimp.state_dict(), 'constructor': dimp.constructor})
        else:
            save_file(dimp.state_dict(), path)
        net = atom_small_net()
        assert 'tensors of a classifier are left out' in _common.load_tracker(net, path)
        assert all(torch.equal(value, dimp.state_dict()[key]) for key, value in net.state_dict().items())


@pytest.mark.parametrize('content', [{'net': [1]}, {'net': {1: torch.zeros(1)}}, {}])
@pytest.mark.parametrize('load', [_common.load_tracker, kys.load_tracker])
def test_a_file_without_weights(tmp_path, content, load):
    path = checkpoint.save(tmp_path / 'none.pth.tar', content)
    with pytest.raises(UserError, match=r'none\.pth\.tar holds no weights'):
        load(atom_small_net(), path)


@pytest.mark.parametrize(('command', 'message'), [
    ('dimp dimp50 --net kys18', 'trains dimp50; for --net kys18 take the setting kys kys --net kys18'),
    ('dimp dimp50 --net xyz', 'trains dimp50, not xyz'),
    ('bbreg atom --net atom_small', 'trains atom18 or atom50; for --net atom_small take the setting bbreg atom_small'),
    ('bbreg atom --net tomp50', 'take the setting tomp tomp50'),
    ('kys kys --net dimp18', 'take the setting dimp dimp18')])
def test_a_net_of_another_setting_names_that(command, message):
    with pytest.raises(UserError, match=message):
        run_training.main(command.split())


def test_the_settings_that_are_named_are_there():
    for net, setting in SETTINGS.items():
        module, name, *flag = setting.split()
        assert run_training.find_settings(module, name) and flag in ([], ['--net', net])
