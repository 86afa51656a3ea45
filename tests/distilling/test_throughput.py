"""What makes distillation fast changes no number, or says by how much."""

from __future__ import annotations

import copy

import pytest
import torch

from cmd_plugin import throughput
from cmd_plugin.actor import CrossModalActor
from cmd_plugin.errors import UserError
from cmd_plugin.options import option, precision
from cmd_plugin.recipes import RECIPES
from tests.distilling.conftest import actor_of, make, make_batch, network_file, same, small_net, state_of

D3 = RECIPES['cmd_dimp']['d3']
FEATURE_ERROR, LOSS_ERROR = 0.02, 0.02
"""Of a backbone in bfloat16, relative to the norm of the features and to the loss."""


def gradients(actor: CrossModalActor) -> dict[str, torch.Tensor]:
    actor(make_batch())[0].backward()
    trained = [name for group in D3.trained(actor.net).values() for name in group]
    found = dict(actor.net.named_parameters())
    return {name: found[name].grad for name in trained}


@pytest.mark.parametrize('frozen', [False, True])
def test_the_plain_way_gives_the_same_loss_and_gradients(frozen):
    ours, student = actor_of('d3'), small_net()
    plain = throughput.PlainActor(student, copy.deepcopy(student), D3, frozen)
    assert plain(make_batch())[0].item() == pytest.approx(ours(make_batch())[0].item(), rel=1e-5)
    wanted = gradients(ours)
    for name, value in gradients(plain).items():
        torch.testing.assert_close(value, wanted[name], rtol=1e-3, atol=1e-4 * float(wanted[name].abs().max()))
    backbone = next(plain.net.feature_extractor.parameters())
    assert (backbone.grad is None) == frozen
    assert plain.teacher.feature_extractor is not plain.net.feature_extractor


def test_all_sides_are_measured(capsys):
    throughput.run('dimp_small', 1, 'cpu', rounds=1)
    lines = capsys.readouterr().out.splitlines()
    ratios = {line.partition(':')[0]: float(line.partition(': ')[2].partition(';')[0]) for line in lines[1:5]}
    assert set(ratios) == set(throughput.SIDES) and ratios['plain'] == 1.0 and ratios['d3'] > 0.5
    kept = {line.partition(':')[0]: int(line.partition('; ')[2].partition(' MB')[0]) for line in lines[1:5]}
    assert 1 <= kept['d3'] == kept['d3, bfloat16 backbone'] < kept['plain'] / 2
    assert [line.partition(':')[0] for line in lines[5:]] == [
        'making a batch, files decoded', 'making a batch, decoded files kept',
        f'waiting for the loader, {throughput.WORKERS} loader processes']


def test_time_is_taken_in_turn_and_the_first_round_is_left_out(monkeypatch):
    calls, now = [], iter([0, 9, 9, 10, 10, 12, 12, 15, 15, 17, 17, 20])
    monkeypatch.setattr(throughput.time, 'process_time', lambda: next(now))
    monkeypatch.setattr(throughput.torch, 'get_num_threads', lambda: 1)
    steps = {name: lambda name=name: calls.append(name) for name in 'ab'}
    assert throughput.in_turn(steps, 2, 'cpu') == {'a': 2, 'b': 3}
    assert calls == ['a', 'b'] * 3


def test_a_float32_backbone_is_the_backbone_as_it_is():
    actor = actor_of('d3')
    images = {'reference': make_batch()['train_images'][0], 'test': make_batch()['test_images'][0]}
    rgb = actor._features(images)[0]['reference']
    with torch.no_grad():
        wanted = actor.net.extract_backbone_features(torch.cat(
            [images[branch][:, 3 * half:3 * half + 3] for half in (0, 1) for branch in images]))
    assert all(torch.equal(maps, wanted[layer][:2]) and maps.dtype == torch.float32 for layer, maps in rgb.items())


def test_a_backbone_in_bfloat16_is_near():
    student = small_net()
    plain = actor_of('d3')
    half = CrossModalActor(student, copy.deepcopy(student), D3, torch.bfloat16)
    images = {'reference': make_batch()['train_images'][0], 'test': make_batch()['test_images'][0]}
    differs = False
    for ours, wanted in zip(half._features(images), plain._features(images), strict=True):
        for branch in wanted:
            for layer, maps in wanted[branch].items():
                found = ours[branch][layer]
                assert found.dtype == torch.float32
                assert (found - maps).norm() < FEATURE_ERROR * maps.norm()
                differs |= not torch.equal(found, maps)
    assert differs
    assert half(make_batch())[0].item() == pytest.approx(plain(make_batch())[0].item(), rel=LOSS_ERROR)
    assert all(gradient.dtype == torch.float32 for gradient in gradients(half).values())


@pytest.mark.parametrize(('name', 'device'), [(torch.float16, 'cpu'), (torch.bfloat16, 'meta')])
def test_a_precision_that_the_device_has_not_is_refused(name, device):
    student = small_net()
    with pytest.raises(UserError, match=r'backbone cannot compute in b?float16 on (cpu|meta): .*BACKBONE_PRECISION'):
        CrossModalActor(student, copy.deepcopy(student), D3, name).to(device)


def test_the_options(monkeypatch):
    monkeypatch.setenv('CMD_BACKBONE_PRECISION', 'bfloat16')
    assert option(None, 'backbone_precision', torch.float32, precision) is torch.bfloat16
    monkeypatch.setenv('CMD_BACKBONE_PRECISION', 'half')
    with pytest.raises(UserError, match="CMD_BACKBONE_PRECISION='half' is not valid; expected: one of float32"):
        option(None, 'backbone_precision', torch.float32, precision)


@pytest.mark.slow
@pytest.mark.usefixtures('no_settings')
def test_a_run_with_a_cache_ends_bit_identical(workspace, world_pairs, tmp_path, monkeypatch):
    init = network_file(tmp_path)
    wanted = state_of(make('d3', workspace, init=init, data=[world_pairs], epochs=2))
    monkeypatch.setenv('CMD_CACHE_MB', '50')
    other = tmp_path / 'cached'
    monkeypatch.setenv('PYTRACKING_WORKSPACE_DIR', str(other))
    assert same(state_of(make('d3', other, init=init, data=[world_pairs], epochs=2)), wanted)
    assert any(path.is_file() for path in (other / 'cache' / 'pairs').rglob('*'))
