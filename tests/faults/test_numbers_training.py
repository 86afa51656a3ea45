"""Losses and gradients that are not finite, or too large: the run stops, the batch is named, kept, and played again."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

from cmd_plugin.data import PairedDataset, PairedSampler, make_pseudo_box
from ltr.actors.base_actor import BaseActor
from ltr.admin import checkpoint
from ltr.admin.errors import UserError
from ltr.admin.seeding import seed_everything
from ltr.data import LTRLoader
from ltr.data.sampler import DiMPSampler
from ltr.dataset import FolderVideo
from ltr.trainers import LTRTrainer, kept_batch
from tests.equality import same
from tests.faults.runs import TinyActor, TinyData, TinyLoader, make_trainer, settings_in, tiny_net


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.setenv('PYTRACKING_PLUGINS', 'tiny=tiny_training')
    monkeypatch.setenv('PYTRACKING_WORKSPACE_DIR', str(tmp_path))
    return settings_in(tmp_path)


class Poisoned(TinyData):
    """One sample of the second pass is not finite; samples name their file."""

    poison = float('nan')

    def __init__(self) -> None:
        super().__init__()
        self.drawn = 0

    def __getitem__(self, index: int):
        self.drawn += 1
        sample = super().__getitem__(index)
        if index == 5 and self.drawn > len(self):
            sample['x'][1] = self.poison
        return {**sample, 'files': f'rgb/{index}.png\ntir/{index}.png'}


def poisoned(settings, poison: float = float('nan')) -> LTRTrainer:
    loader = TinyLoader()
    loader.dataset.__class__ = Poisoned
    loader.dataset.drawn, loader.dataset.poison = 0, poison
    net = tiny_net()
    return LTRTrainer(TinyActor(net), [loader], torch.optim.Adam(net.parameters()), settings)


def stopped(trainer: LTRTrainer, epochs: int = 3) -> tuple[str, Path]:
    """The message of a run that breaks, and the file that it names."""
    with pytest.raises(UserError) as caught:
        trainer.train(epochs)
    message = str(caught.value)
    assert '\n' not in message
    return message, Path(re.search(r'--replay (\S+) makes the step again', message).group(1))


@pytest.mark.filterwarnings('ignore:Error detected in')
@pytest.mark.parametrize('poison', [float('nan'), float('inf')])
def test_a_loss_that_is_not_finite(settings, tmp_path, capsys, poison):
    message, kept = stopped(poisoned(settings, poison))
    assert re.match(r"the loss is (nan|inf) in epoch 2, step \d of loader 'train'; nothing of this epoch", message)
    assert re.search(r'\(files: rgb/\d+\.png, tir/\d+\.png, rgb/\d+\.png and 5 more\)', message)
    assert 'TinyNet_ep0001.pth.tar' in message and kept.is_relative_to(tmp_path / 'stopped')
    batch, weights, _, told = kept_batch.read(kept)
    assert {'rgb/5.png', 'tir/5.png'} <= set(told['files']) and (told['epoch'], told['training']) == (2, True)
    assert batch['x'].shape == (4, 3) and not torch.isfinite(batch['x']).all() and len(batch['files']) == 4
    assert set(weights) == set(tiny_net().state_dict())
    assert checkpoint.read(tmp_path / 'checkpoints/ltr/tiny/plain/TinyNet_ep0001.pth.tar')['epoch'] == 1

    settings.replay = kept  # what --replay sets
    capsys.readouterr()
    poisoned(settings).train(9)
    out = capsys.readouterr().out
    assert re.search(r'^loss (nan|inf), Loss/total (nan|inf)$', out, re.M) and 'file: rgb/5.png\n' in out
    assert sorted(path.name for path in (tmp_path / 'checkpoints/ltr/tiny/plain').iterdir()) == [
        'TinyNet_ep0001.pth.tar']


def broken_root(actor, loss):
    """The loss is as it was; the gradient of the root at 0 is infinite, and then multiplied by 0."""
    return loss + (actor.net.head[2].weight.sum() * 0).sqrt()


def test_a_gradient_that_is_not_finite(settings, capsys):
    """Weights are not touched by it, and the step, made again, names the operation."""
    trainer = make_trainer(settings, {(2, 2): broken_root})
    before = {}
    step = trainer.optimizer.step
    trainer.lr_scheduler = None
    trainer.optimizer.step = lambda: (step(), before.update(
        {name: value.clone() for name, value in trainer.actor.net.state_dict().items()}))
    message, kept = stopped(trainer)
    assert message.startswith("the gradient has norm nan in epoch 2, step 2 of loader 'train'")
    assert '(files: not known)' in message
    weights = kept_batch.read(kept)[1]
    learned = [name for name, _ in trainer.actor.net.named_parameters()]
    assert all(torch.equal(weights[name], before[name]) for name in learned)
    settings.replay = kept
    with pytest.warns(UserWarning, match='Error detected in MulBackward0'):
        make_trainer(settings, {(2, 1): broken_root}).train(9)
    assert "Function 'MulBackward0' returned nan" in capsys.readouterr().out


@pytest.mark.parametrize(('precision', 'frozen'), [('float32', False), ('bfloat16', False), ('float32', True)])
def test_a_gradient_above_the_limit(settings, capsys, precision, frozen):
    settings.precision = precision
    modes = {'freeze_backbone_bn_layers': frozen}
    settings.grad_norm_limit, settings.grad_clip_max_norm = 50.0, 1.0  # the limit is for what comes before clipping
    message, kept = stopped(make_trainer(settings, {(1, 2): lambda actor, loss: loss * 1e4}, **modes))
    norm = float(re.match(r'the gradient has norm (\S+), above grad_norm_limit 50 in epoch 1', message).group(1))
    settings.replay = kept
    make_trainer(settings, {(1, 1): lambda actor, loss: loss * 1e4}, **modes).train(9)
    again = float(re.search(r'gradient: norm (\S+), not finite in 0 of', capsys.readouterr().out).group(1))
    assert again == norm  # dropout, too, is drawn as before


def test_finite_runs_are_not_touched(tmp_path, settings, monkeypatch):
    """The watch changes no number: the run is that of a trainer that looks at none."""
    seed_everything(0)
    make_trainer(settings).train(2)
    assert not (tmp_path / 'stopped').exists()
    monkeypatch.setattr(kept_batch, 'norm', lambda gradients: 0.0)
    monkeypatch.setattr(torch, 'get_rng_state', lambda: None)
    monkeypatch.setattr('ltr.trainers.base_trainer.capture_rng', dict)
    seed_everything(0)
    make_trainer(settings_in(tmp_path / 'blind')).train(2)
    watched, blind = (checkpoint.read(folder / 'checkpoints/ltr/tiny/plain/TinyNet_ep0002.pth.tar')
                      for folder in (tmp_path, tmp_path / 'blind'))
    assert same(watched['net'], blind['net']) and same(watched['stats'], blind['stats'])


class NaNActor(BaseActor):
    """Fails on the third batch."""

    calls = 0

    def __call__(self, data):
        self.calls += 1
        loss = self.net(data['train_anno'][0][:, :3]).mean()
        return loss * (float('nan') if self.calls == 3 else 1), {'Loss/total': loss.item()}


def test_files_of_videos_are_named(settings, world_video):
    sampler = DiMPSampler([FolderVideo(world_video)], None, 8, 10, num_test_frames=1, num_train_frames=2)
    sampler.processing = lambda data: type(data)((key, data[key]) for key in ('train_anno', 'files'))
    net = tiny_net()
    trainer = LTRTrainer(NaNActor(net, None), [LTRLoader('train', sampler, batch_size=2)],
                         torch.optim.SGD(net.parameters(), 0.01), settings)
    _, kept = stopped(trainer)
    named = kept_batch.read(kept)[3]['files']
    assert 2 < len(named) <= 6 and all(Path(name).is_file() and name.startswith(str(world_video)) for name in named)


def test_pairs_are_named(world_pairs):
    dataset = PairedDataset([world_pairs])
    sample = PairedSampler(dataset, make_pseudo_box('center_area', 0.25, None), 2)[0]
    assert Path(sample['files']).is_file() and Path(sample['files']).is_relative_to(world_pairs)


def test_a_kept_batch_that_is_none(settings, tmp_path):
    _, kept = stopped(poisoned(settings))
    settings.replay = kept
    kept.write_bytes(kept.read_bytes()[:-40])
    with pytest.raises(UserError, match='is no kept batch, or a damaged one'):
        poisoned(settings).train(1)
    settings.replay = tmp_path / 'none'
    with pytest.raises(UserError, match='no kept batch'):
        poisoned(settings).train(1)


def test_a_full_disk_hides_no_reason(settings, monkeypatch):
    def full(*_args):
        raise UserError('cannot write x: No space left on device')
    monkeypatch.setattr(kept_batch, 'keep', full)
    with pytest.raises(UserError, match=r'the loss is nan in epoch 2.* is not kept: cannot write x.*The last good'):
        poisoned(settings).train(3)
