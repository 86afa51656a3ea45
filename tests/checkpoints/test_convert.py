"""`convert`: forms, companions, differences; weights bit for bit, and one line for every mistake."""

from __future__ import annotations

import importlib.util
import re
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch

from cmd_plugin import checkpoints, cli
from ltr import load_network
from ltr.admin import checkpoint
from ltr.admin.errors import UserError
from ltr.models.bbreg.atom import atom_small
from ltr.models.tracking.dimpnet import dimpnet_small
from tests.checkpoints.conftest import contents_of, random_statistics


def convert(*words: Any) -> None:
    assert cli.main(['convert', *map(str, words)]) == 0


def bits(path: Path) -> dict[str, tuple[Any, ...]]:
    return {name: (value.dtype, value.shape, value.contiguous().numpy().tobytes())
            for name, value in checkpoint.read(path)['net'].items()}


def test_there_and_back(tmp_path, child, capsys):
    convert(child, tmp_path / 'x.safetensors')
    assert 'left out, not plain data: optimizer, rng' in capsys.readouterr().out
    convert(tmp_path / 'x.safetensors', tmp_path / 'back.pth.tar')
    assert bits(tmp_path / 'back.pth.tar') == bits(child)
    first, back = checkpoint.read(child), checkpoint.read(tmp_path / 'back.pth.tar')
    assert list(back['net']) == list(first['net'])
    for key in ('epoch', 'actor_type', 'net_type', 'net_info'):
        assert back[key] == first[key]
    assert vars(back['constructor']) == vars(first['constructor'])
    assert vars(back['settings']) == vars(first['settings'])
    assert back['optimizer'] is None and 'rng' not in back


def test_a_difference_holds_what_learned_and_comes_back(tmp_path, child, parent, capsys):
    small = tmp_path / 'small.safetensors'
    convert(child, small, '--difference-to', parent)
    assert '2 tensors that differ from a1.pth.tar' in capsys.readouterr().out
    assert small.stat().st_size < child.stat().st_size / 5
    with pytest.raises(UserError, match='holds only the difference to a1'):
        load_network(small)
    with pytest.raises(UserError, match=r'only the difference to a1\.pth\.tar.*give it with --difference-to'):
        convert(small, tmp_path / 'whole.pth.tar')
    convert(small, tmp_path / 'whole.pth.tar', '--difference-to', parent)
    assert bits(tmp_path / 'whole.pth.tar') == bits(child)
    assert 'difference_to' not in checkpoint.read(tmp_path / 'whole.pth.tar')
    convert(parent, tmp_path / 'p.safetensors')  # the parent's form is of no matter
    convert(small, tmp_path / 'again.safetensors', '--difference-to', tmp_path / 'p.safetensors')
    convert(tmp_path / 'again.safetensors', tmp_path / 'again.pth.tar')
    assert bits(tmp_path / 'again.pth.tar') == bits(child)


def test_a_difference_names_its_parent_as_its_teacher_is_named(tmp_path, child, parent):
    from cmd_plugin.convert.converting import read
    convert(child, tmp_path / 'small.safetensors', '--difference-to', parent)
    net, _ = load_network(parent)
    assert read(tmp_path / 'small.safetensors')['difference_to'] == {
        'file': 'a1.pth.tar', 'sha256': checkpoints.fingerprint(net)}


def test_wrong_parents(tmp_path, child, parent):
    small = tmp_path / 'small.safetensors'
    convert(child, small, '--difference-to', parent)
    with pytest.raises(UserError, match=r'small\.safetensors is the difference to a1.*not to .*d3'):
        convert(small, tmp_path / 'whole.pth.tar', '--difference-to', child)
    assert not (tmp_path / 'whole.pth.tar').exists()
    atom = checkpoint.save(tmp_path / 'atom.pth.tar', contents_of(atom_small()))
    with pytest.raises(UserError, match=r'd3\.pth\.tar is another network than .*atom'):
        convert(child, tmp_path / 'other.safetensors', '--difference-to', atom)
    with pytest.raises(UserError, match='a difference is written as'):
        convert(child, tmp_path / 'other.pth.tar', '--difference-to', parent)


def heads(path: Path, form: str) -> tuple[Path, dict[str, torch.Tensor]]:
    """An imitation of the released checkpoint: another network's classifier and box regressor."""
    net = random_statistics(dimpnet_small(), 5)
    state = {key: value for key, value in net.state_dict().items() if not key.startswith('feature_extractor.')}
    if form == 'wrapped':
        checkpoint.save(path, {'epoch': 35, 'net': OrderedDict(state)})
    elif form == 'with a backbone':
        checkpoint.save(path, {'epoch': 35, 'net': net.state_dict()})
    else:
        torch.save(OrderedDict(state), path)
    return path, state


@pytest.mark.parametrize('form', ['bare', 'wrapped', 'with a backbone'])
def test_heads_and_their_companion(tmp_path, parent, form):
    source, state = heads(tmp_path / 'cmd35.pth.tar', form)
    with pytest.raises(UserError, match='give --companion'):
        convert(source, tmp_path / 'x.safetensors')
    convert('--companion', parent, source, tmp_path / 'out.pth.tar')
    net, contents = load_network(tmp_path / 'out.pth.tar')
    backbone = checkpoint.read(parent)['net']
    for name, value in net.state_dict().items():
        assert torch.equal(value, backbone[name] if name.startswith('feature_extractor.') else state[name]), name
    assert contents['epoch'] == (1 if form == 'bare' else 35)
    assert contents['net_info']['backbone']['file'] == 'a1.pth.tar'


def test_heads_that_do_not_fit(tmp_path, parent):
    source, state = heads(tmp_path / 'cmd35.pth.tar', 'bare')
    for name, change, message in (
            ('less', lambda s: s.pop('classifier.filter_optimizer.filter_reg'), '1 tensors missing'),
            ('more', lambda s: s.update(extra=torch.zeros(1)), '1 unexpected'),
            ('shape', lambda s: s.update({'bb_regressor.iou_predictor.bias': torch.zeros(2)}), '1 of another shape')):
        changed = dict(state)
        change(changed)
        torch.save(changed, tmp_path / f'{name}.pth.tar')
        with pytest.raises(UserError, match=rf'{name}\.pth\.tar is of another network than DiMPnet: .*{message}'):
            convert('--companion', parent, tmp_path / f'{name}.pth.tar', tmp_path / 'out.pth.tar')
    with pytest.raises(UserError, match=r'--companion .*cmd35\.pth\.tar is no checkpoint of a whole network'):
        convert('--companion', source, source, tmp_path / 'out.pth.tar')
    atom = checkpoint.save(tmp_path / 'atom.pth.tar', contents_of(atom_small()))
    with pytest.raises(UserError, match='of another network than ATOMnet'):
        convert('--companion', atom, source, tmp_path / 'out.pth.tar')
    assert not (tmp_path / 'out.pth.tar').exists()


def test_arguments_that_do_not_fit(tmp_path, child):
    for words, message in (((child,), 'no file to write'), ((child, child), 'written over itself'),
                           ((child, tmp_path / 'x.json'), r'ends in \.pth\.tar or \.safetensors'),
                           ((child, tmp_path / 'x.pth.tar', '--inspect'), '--inspect takes SRC alone'),
                           ((tmp_path / 'no.pth.tar', tmp_path / 'x.pth.tar'), r'no checkpoint file .*no\.pth'),
                           ((tmp_path / 'no.safetensors', tmp_path / 'x.pth.tar'), 'no weight file')):
        with pytest.raises(UserError, match=message):
            convert(*words)


@pytest.mark.parametrize('name', ['text.pth.tar', 'short.pth.tar', 'text.safetensors', 'list.pth.tar', 'numbers.pth'])
def test_no_checkpoints(tmp_path, child, name):
    path = tmp_path / name
    if name.startswith('text'):
        path.write_text('hello, I am a text file\n')
    elif name.startswith('short'):
        path.write_bytes(child.read_bytes()[:5000])
    else:
        torch.save([1] if name.startswith('list') else {'epoch': 1}, path)
    for command in (['convert', str(path), str(tmp_path / 'out.pth.tar')], ['inspect', str(path)]):
        with pytest.raises(UserError, match=re.escape(str(path))) as error:
            cli.main(command)
        assert '\n' not in str(error.value)
    assert not (tmp_path / 'out.pth.tar').exists()


@pytest.mark.parametrize('form', ['child.pth.tar', 'child.safetensors'])
def test_inspect_tells_what_it_is(tmp_path, child, capsys, form):
    convert(child, tmp_path / form)
    capsys.readouterr()
    assert cli.main(['inspect', str(tmp_path / form)]) == 0
    told = capsys.readouterr().out
    assert cli.main(['convert', '--inspect', str(tmp_path / form)]) == 0
    assert capsys.readouterr().out == told
    count = sum(value.numel() for value in dimpnet_small().parameters())
    for line in ('network +DiMPnet', r'constructor +ltr\.models\.tracking\.dimpnet\.dimpnet_small\(\)', 'epoch +7',
                 f'weights +{count:,} in [0-9]+ tensors', 'recipe +d3', f'teacher +{"f00d" * 16}', '  lr = .*2e-08',
                 r"  description = 'a\\nb ä'"):
        assert re.search(f'^{line}', told, re.MULTILINE), line


def test_inspect_of_other_files(tmp_path, child, parent, capsys):
    convert(child, tmp_path / 'small.safetensors', '--difference-to', parent)
    torch.save(dict(dimpnet_small().state_dict()), tmp_path / 'bare.pth')
    foreign = contents_of(dimpnet_small())
    foreign['constructor'].fun_name, foreign['net_info'] = 'system\x1b[2J', {'recipe': '\x1b]0;gone\a'}
    checkpoint.save(tmp_path / 'foreign.pth.tar', foreign)
    capsys.readouterr()
    for name, expected in (('small.safetensors', r"difference to +\{'file': 'a1\.pth\.tar'"),
                           ('bare.pth', 'network +not recorded'),
                           ('foreign.pth.tar', 'REFUSED, not a registered network')):
        assert cli.main(['inspect', str(tmp_path / name)]) == 0
        told = capsys.readouterr().out
        assert re.search(expected, told)
        assert all(sign.isprintable() or sign == '\n' for sign in told)


def test_on_another_toolkit(child, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, 'find_spec', lambda name: None if name == 'ltr.admin.portable' else find(name))
    with pytest.raises(UserError, match='leave --upstream out'):
        cli.main(['inspect', str(child)])


@pytest.mark.slow
def test_the_official_checkpoint_in_full_size(tmp_path, capsys):
    """Imitations of `super_dimp.pth.tar` and `cmd35.pth.tar` from the stock arguments of SuperDiMP."""
    from ltr.train_settings.dimp.super_dimp import RECIPE
    nets = [RECIPE.network(**RECIPE.options, backbone_pretrained=False) for _ in range(2)]
    checkpoint.save(tmp_path / 'super_dimp.pth.tar', contents_of(nets[0], net_info=None))
    part = OrderedDict((key, value) for key, value in nets[1].state_dict().items()
                       if not key.startswith('feature_extractor.'))
    torch.save({'net': part}, tmp_path / 'cmd35.pth.tar')
    convert('--companion', tmp_path / 'super_dimp.pth.tar', tmp_path / 'cmd35.pth.tar', tmp_path / 'out.pth.tar')
    net, _ = load_network(tmp_path / 'out.pth.tar')
    assert torch.equal(net.bb_regressor.fc3_rt.linear.weight, nets[1].bb_regressor.fc3_rt.linear.weight)
    assert torch.equal(net.feature_extractor.conv1.weight, nets[0].feature_extractor.conv1.weight)
    cli.main(['inspect', str(tmp_path / 'out.pth.tar')])
    assert '43,097,303 in 407 tensors' in capsys.readouterr().out
