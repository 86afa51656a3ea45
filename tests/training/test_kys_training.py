"""KYS training: its actor and losses, what stays frozen, and the command line."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import torch
from torch import nn

from ltr.actors import KYSActor
from ltr.actors.kys import add_rivals
from ltr.admin.errors import UserError
from ltr.admin.loading import load_network
from ltr.admin.settings import Settings
from ltr.models.kys.response import Response
from ltr.models.loss.lost_track import LostTrackHinge
from ltr.models.loss.target_classification import LBHinge
from ltr.models.tracking.dimpnet import dimpnet18, dimpnet_small
from ltr.models.tracking.kysnet import kysnet18, kysnet50, kysnet_small
from ltr.run_training import run_training
from ltr.train_settings.dimp import dimp18, dimp50
from ltr.train_settings.kys import _common, kys, kys_small

OWN = 'response_predictor.'


@pytest.fixture
def settings(world_video) -> Settings:
    settings = Settings()
    settings.data, settings.samples, settings.batch, settings.workers = [world_video], 2, 2, 0
    return settings


def test_batches_of_the_loader(settings):
    random.seed(0)
    torch.manual_seed(0)
    batch = next(iter(_common.training_loader(settings, kys_small.RECIPE)))
    assert batch['train_images'].shape == (1, 2, 3, 144, 144) and batch['test_images'].shape == (12, 2, 3, 144, 144)
    assert batch['test_label'].shape == (12, 2, 10, 10) and 'test_proposals' not in batch
    centre = (batch['test_anno'][..., :2] + batch['test_anno'][..., 2:] / 2) / 16
    peak = batch['test_label'].flatten(2).argmax(dim=2)
    assert ((peak % 10 - centre[..., 0]).abs() <= 0.5 + 1e-3).all()
    assert (centre[1:] - centre[:-1]).abs().max() > 0.5, 'crops are jittered'
    moves = (centre[1:] - centre[:-1]).abs().max()
    assert moves <= kysnet_small().response_predictor.propagation.max_displacement


def test_recipes_are_dimp_s_networks_with_a_response_predictor():
    for name, make, dimp in (('kys50', kysnet50, dimp50.RECIPE), ('kys18', kysnet18, dimp18.RECIPE)):
        recipe = kys.RECIPES[name]
        assert (recipe.network, recipe.options) == (make, dimp.options)
        assert (recipe.label_sigma, recipe.output_sz, recipe.dimp) == (dimp.label_sigma, 288, f'{dimp.name}.pth.tar')
        with torch.device('meta'):
            assert make(backbone_pretrained=False, **recipe.options).label_sigma == pytest.approx(recipe.label_sigma)
    assert kys_small.RECIPE.label_sigma == kysnet_small().label_sigma


class Fixed(nn.Module):
    """Stands in for the network: given maps, through which gradient flows."""

    def __init__(self, fused: torch.Tensor, target: torch.Tensor) -> None:
        super().__init__()
        self.feature_extractor = nn.BatchNorm1d(2)
        self.response_predictor = nn.ParameterList([fused, target])

    def forward(self, **inputs):
        self.inputs = inputs
        fused, target = self.response_predictor
        return Response(fused, target, fused)


def test_loss_by_hand():
    generator = torch.Generator().manual_seed(0)
    fused, logits = torch.rand(2, 1, 3, 3, generator=generator), torch.randn(2, 1, 3, 3, generator=generator)
    label = torch.zeros(3, 1, 3, 3)
    label[:, :, 1, 1], label[:, :, 1, 2] = 1.0, 0.1
    actor = KYSActor(Fixed(fused, logits), {'response': LBHinge(threshold=0.05), 'target': nn.BCEWithLogitsLoss(),
                                            'lost': LostTrackHinge()},
                     {'response': 100.0, 'target': 2.0, 'lost': 0.5})
    data = {'train_images': 1, 'test_images': 2, 'train_anno': 3, 'test_anno': 4, 'test_label': label}
    total, stats = actor(data)
    disturb = actor.net.inputs.pop('disturb')
    assert disturb(label[0]).equal(label[0]), 'no rivals unless asked for'
    assert actor.net.inputs == {'train_imgs': 1, 'test_imgs': 2, 'train_bb': 3, 'test_bb': 4}
    squares = ((fused - label[1:]) ** 2).mean().item()
    probability = torch.sigmoid(logits)
    on = torch.zeros(2, 1, 3, 3)
    on[:, :, 1, 1] = 1
    entropy = -(on * probability.log() + (1 - on) * (1 - probability).log()).mean().item()
    lost, found = 0.0, 0.0
    for frame in fused[:, 0]:
        away = frame.clone()
        away[1, 1], away[1, 2] = 0, 0
        lost += max(0.0, 0.25 + away.max().item() - max(frame[1, 1].item(), frame[1, 2].item())) / 2
        found += (frame.argmax() == 4).item() / 2
    assert stats['Loss/response'] == pytest.approx(100 * squares, rel=1e-5)
    assert stats['Loss/target'] == pytest.approx(2 * entropy, rel=1e-5)
    assert stats['Loss/lost'] == pytest.approx(0.5 * lost, rel=1e-5) and stats['Track/found'] == found
    assert total.item() == stats['Loss/total'] == pytest.approx(100 * squares + 2 * entropy + 0.5 * lost, rel=1e-5)


def test_rivals_are_shifted_copies_of_what_is_there():
    scores = torch.zeros(400, 6, 5)
    scores[:, 2, 3] = 1
    torch.manual_seed(0)
    changed = add_rivals(scores, 0.5)
    assert torch.equal(scores.amax(dim=(1, 2)), torch.ones(400)), 'the given maps stay as they are'
    assert (changed[:, 2, 3] >= 1).all() and changed.max() <= 1.2 and changed.shape == scores.shape
    rivals = changed.clone()
    rivals[:, 2, 3] = 0
    share = (rivals.amax(dim=(1, 2)) > 0).float().mean()
    assert 0.4 < share < 0.55 and ((rivals > 0).sum(dim=(1, 2)) <= 1).all()
    assert (rivals.amax(dim=0) > 0).sum() > 20 and (rivals > 1).any(), 'everywhere, and now and then higher'
    assert torch.equal(add_rivals(scores, 0.0), scores)


def test_dimp_is_frozen_and_never_in_training_mode():
    net = kysnet_small(out_feature_dim=16)
    actor = _common.actor(net, kys_small.RECIPE)
    assert actor.rivals == kys_small.RECIPE.rivals == 0.3
    actor.train(True)
    assert not any(module.training for module in net.modules())
    learning = {name for name, parameter in net.named_parameters() if parameter.requires_grad}
    assert learning == {name for name, _ in net.named_parameters() if name.startswith(OWN)}


def dimp_file(folder: Path) -> tuple[Path, dict[str, torch.Tensor]]:
    torch.manual_seed(1)
    net = dimpnet_small()
    path = folder / 'dimp_small.pth.tar'
    torch.save({'net': net.state_dict(), 'constructor': net.constructor, 'net_type': 'DiMPnet', 'epoch': 1}, path)
    return path, net.state_dict()


def train(folder: Path, video: Path, init: Path | None, name: str = 'kys_small', **flags) -> Path:
    run_training('kys', name, **{'data': [video], 'init': init, 'workspace': folder, 'workers': 0, 'device': 'cpu',
                                 'samples': 2, 'batch': 2, 'epochs': 1, **flags})
    return sorted((folder / f'checkpoints/ltr/kys/{name}').glob('KYSnet_ep*.pth.tar'))[-1]


def test_a_dimp_becomes_a_kys(tmp_path, world_video, capsys):
    """One step: DiMP's part stays bit for bit, the response predictor learns; what came out goes on as it is."""
    init, dimp = dimp_file(tmp_path)
    path = train(tmp_path / 'a', world_video, init)
    assert 'the response predictor starts anew' in capsys.readouterr().out
    net, contents = load_network(path)
    state = net.state_dict()
    assert all(torch.equal(state[key], value) for key, value in dimp.items())
    assert {key for key in state if key not in dimp} == {key for key in state if key.startswith(OWN)}
    assert contents['actor_type'] == 'KYSActor' and contents['stats']['train']
    again = train(tmp_path / 'a', world_video, init, epochs=2)
    later = load_network(again)[0].state_dict()
    assert again != path and any(not torch.equal(later[key], state[key]) for key in state if key.startswith(OWN))
    assert all(torch.equal(later[key], value) for key, value in dimp.items())
    kept = train(tmp_path / 'b', world_video, path, lr_scale=1e-12)
    assert 'starts anew' not in capsys.readouterr().out.split('weights of the whole network')[-1]
    resumed = load_network(kept)[0].state_dict()
    torch.testing.assert_close(dict(resumed), dict(state), rtol=0, atol=1e-6)


def test_bad_input(tmp_path, world_video):
    with pytest.raises(UserError, match=r'on top of a trained DiMP: .* --init dimp_small\.pth\.tar'):
        train(tmp_path, world_video, None)
    with pytest.raises(UserError, match='kys50 or kys18; for --net dimp50 take the setting dimp dimp50'):
        train(tmp_path, world_video, None, 'kys', net='dimp50')
    other = tmp_path / 'dimp18.pth.tar'
    torch.save({'net': dimpnet18(backbone_pretrained=False).state_dict()}, other)
    with pytest.raises(UserError, match='of another network than KYSnet'):
        train(tmp_path, world_video, other)


@pytest.mark.slow
def test_the_response_learns_to_find_the_target(tmp_path, world_video):
    """On a DiMP of random weights: the loss falls, steps of a few videos are enough."""
    init, _ = dimp_file(tmp_path)
    path = train(tmp_path, world_video, init, samples=16, epochs=3, lr_scale=3.0)
    stats = load_network(path)[1]['stats']['train']
    loss = stats['Loss/total'].history
    assert len(loss) == 3 and loss[-1] < 0.8 * loss[0], loss
