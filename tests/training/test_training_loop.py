"""The loop: what it steps, shows, saves, and how it fails."""

from __future__ import annotations

import sys
from collections import OrderedDict

import pytest
import torch
from tiny_training import TinyActor, TinyLoader, make_trainer, tiny_net

from ltr.admin import checkpoint
from ltr.admin.errors import UserError
from ltr.admin.multigpu import MultiGPU, unwrap
from ltr.tensors import TensorDict
from ltr.trainers import LTRTrainer
from ltr.trainers.ltr_trainer import to_device


def saved(trainer: LTRTrainer) -> list[str]:
    return sorted(path.name for path in trainer.checkpoint_dir.glob('*'))


@pytest.mark.parametrize('value', [float('nan'), float('inf')])
def test_a_loss_that_is_not_finite_stops_the_run(settings, value):
    trainer = make_trainer(settings, {(2, 2): lambda actor, loss: loss * value})
    with pytest.raises(UserError, match=r"epoch 2, step 2 of loader 'train'.*TinyNet_ep0001.*--lr-scale"):
        trainer.train(3)
    assert saved(trainer) == ['TinyNet_ep0001.pth.tar']


def test_weights_that_are_not_finite_are_never_saved(settings):
    def spoil(actor, loss):
        trainer.optimizer.param_groups[1]['lr'] = float('inf')
        return loss
    trainer = make_trainer(settings, {(1, 3): spoil})  # the last step: no later loss can tell
    with pytest.raises(UserError, match=r'weights that are not finite .head.2.weight and 1 more'):
        trainer.train(1)
    assert saved(trainer) == []


def test_errors_come_through_whatever_fail_safe_says(settings):
    def fail(actor, loss):
        raise ZeroDivisionError('mistake')
    trainer = make_trainer(settings, {(1, 2): fail})
    with pytest.raises(ZeroDivisionError, match='mistake'):
        trainer.train(1, fail_safe=True)
    assert trainer.actor.steps == {1: 2}  # not tried again


def test_ctrl_c_says_how_to_go_on(settings, capsys):
    def interrupt(actor, loss):
        raise KeyboardInterrupt
    trainer = make_trainer(settings, {(2, 1): interrupt})
    with pytest.raises(KeyboardInterrupt):
        trainer.train(3)
    captured = capsys.readouterr()
    assert 'stopped in epoch 2; the same command goes on after epoch 1' in captured.err
    assert 'final checkpoint' not in captured.out


@pytest.mark.parametrize(('keep', 'left'), [(None, [1, 2, 3]), (2, [2, 3]), (1, [3])])
def test_keep_checkpoints(settings, keep, left):
    settings.keep_checkpoints = keep
    trainer = make_trainer(settings)
    trainer.train(3)
    assert saved(trainer) == [f'TinyNet_ep{epoch:04d}.pth.tar' for epoch in left]


def test_loaders_take_turns(settings):
    """A validation loader every second epoch: evaluation mode, no gradient, no change; one rate step an
    epoch."""
    net = tiny_net()
    optimizer = torch.optim.SGD(net.parameters(), lr=1.0e-2)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1, gamma=0.5)
    actor = TinyActor(net)
    loaders = [TinyLoader(), TinyLoader('val', training=False, epoch_interval=2)]
    trainer = LTRTrainer(actor, loaders, optimizer, settings, scheduler)
    trainer.train(2)
    assert actor.seen == [(1, True, True)] * 3 + [(2, True, True)] * 3 + [(2, False, False)] * 3
    assert trainer.stats['train']['LearningRate/group0'].history == [1e-2, 0.5e-2]
    assert list(trainer.stats['val']) == ['Loss/total']
    assert len(trainer.stats['val']['Loss/total'].history) == 1


def test_mean_over_an_epoch_is_weighted_by_batch_size(settings):
    def give(value):
        return lambda actor, loss: loss * 0 + value
    trainer = make_trainer(settings, {(1, 1): give(1.0), (1, 2): give(1.0), (1, 3): give(7.0)}, length=10)
    trainer.train(1)
    assert trainer.stats['train']['Loss/total'].history == [pytest.approx((4 + 4 + 2 * 7) / 10)]


def test_gradient_clipping(settings):
    net = tiny_net()
    norms = []

    class Watched(torch.optim.SGD):
        def step(self, closure=None):
            norms.append(torch.stack([p.grad.norm() for p in net.parameters()]).norm().item())
            return super().step(closure)
    settings.grad_clip_max_norm = 1e-3
    LTRTrainer(TinyActor(net), [TinyLoader()], Watched(net.parameters(), lr=0.1), settings).train(1)
    assert norms and all(norm <= 1.001e-3 for norm in norms)


@pytest.mark.parametrize(('precision', 'kind'), [('float32', torch.float32), ('bfloat16', torch.bfloat16)])
def test_a_step_computes_in_the_precision_that_is_set_and_weights_stay_float32(settings, precision, kind):
    settings.precision = precision
    trainer = make_trainer(settings)
    seen = []
    trainer.actor.net.head[-1].register_forward_hook(lambda module, args, out: seen.append(out.dtype))
    trainer.train(1)
    assert set(seen) == {kind}
    assert {weight.dtype for weight in trainer.actor.net.parameters()} == {torch.float32}


def test_an_unknown_precision_is_one_line(settings):
    settings.precision = 'float16'
    with pytest.raises(UserError, match="one of float32, bfloat16, not 'float16'"):
        make_trainer(settings)


@pytest.mark.parametrize('freeze', [False, True])
def test_frozen_backbone_batch_norm(settings, freeze):
    trainer = make_trainer(settings, freeze_backbone_bn_layers=freeze)
    trainer.train(1)
    norm = trainer.actor.net.feature_extractor[1]
    assert (norm.num_batches_tracked.item() == 0) is freeze
    assert trainer.actor.net.training and norm.training is not freeze


def test_an_empty_loader_is_an_error(settings):
    trainer = make_trainer(settings)
    trainer.loaders = [TinyLoader(length=3, drop_last=True)]
    with pytest.raises(UserError, match="loader 'train' gives no batch"):
        trainer.train(1)


def test_lines_without_a_terminal(settings, capsys):
    settings.print_interval, settings.print_stats = 2, ['Loss/total']
    make_trainer(settings).train(1)
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith('[train 1: ')]
    assert [line.split(']')[0] for line in lines] == ['[train 1: 2/3', '[train 1: 3/3']
    assert 'Loss/total ' in lines[0] and lines[0].endswith(' left')


def test_bar_on_a_terminal(settings, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, 'isatty', lambda: True, raising=False)
    make_trainer(settings).train(1)
    captured = capsys.readouterr()
    assert 'train 1: 100%' in captured.err and 'Loss/total=' in captured.err
    assert '[train 1' not in captured.out


def test_tensorboard_curves(settings):
    trainer = make_trainer(settings)
    trainer.train(2)
    accumulator = pytest.importorskip('tensorboard.backend.event_processing.event_accumulator')
    log = accumulator.EventAccumulator(str(settings.env.tensorboard_dir / 'ltr' / 'tiny' / 'plain' / 'train'))
    log.Reload()
    points = log.Scalars('Loss/total')
    assert [point.step for point in points] == [1, 2]
    assert [point.value for point in points] == pytest.approx(trainer.stats['train']['Loss/total'].history)
    assert log.Scalars('LearningRate/group1')[0].value == pytest.approx(0.05)


def test_missing_tensorboard_is_said_once(settings, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, 'torch.utils.tensorboard', None)
    trainer = make_trainer(settings)
    trainer.train(2)
    assert capsys.readouterr().err.count('no training curves are written') == 1
    assert len(saved(trainer)) == 2


def test_to_device_reaches_every_tensor():
    data = TensorDict({'a': torch.ones(2), 'b': [torch.ones(1), 'text'],
                       'c': OrderedDict(d=(torch.ones(1),))})
    moved = to_device(data, torch.device('meta'))
    assert isinstance(moved, TensorDict) and moved['b'][1] == 'text'
    assert all(tensor.device.type == 'meta' for tensor in (moved['a'], moved['b'][0], moved['c']['d'][0]))


def test_checkpoints_of_a_multi_gpu_network_are_those_of_the_network(settings):
    net = tiny_net()
    wrapped = MultiGPU(net)
    assert unwrap(wrapped) is net and unwrap(net) is net
    assert wrapped.constructor is net.constructor
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    trainer = LTRTrainer(TinyActor(wrapped), [TinyLoader()], optimizer, settings)
    trainer.train(1)
    contents = checkpoint.read(trainer.checkpoint_dir / 'TinyNet_ep0001.pth.tar')
    assert list(contents['net']) == list(net.state_dict())


def test_curves_go_to_visdom_when_the_settings_ask_for_it(settings, monkeypatch):
    sent = []

    class Recorder:
        def write_epoch(self, stats, epoch):
            sent.append((epoch, list(stats), stats['train']['Loss/total'].history[-1]))

    asked = []
    monkeypatch.setattr('ltr.trainers.ltr_trainer.writer_of', lambda given: asked.append(given) or Recorder())
    make_trainer(settings).train(2)
    assert asked == [settings]
    assert [entry[:2] for entry in sent] == [(1, ['train']), (2, ['train'])] and all(loss > 0 for *_, loss in sent)


def test_no_visdom_server_is_said_before_the_first_step(settings):
    pytest.importorskip('visdom')
    settings.use_visdom, settings.visdom_port = True, 1
    with pytest.raises(UserError, match=r'no visdom server at 127\.0\.0\.1:1'):
        make_trainer(settings)
