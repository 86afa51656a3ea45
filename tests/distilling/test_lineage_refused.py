"""Ancestors that are missing or do not fit, and files that do not merge: one line that says what to do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cmd_plugin import checkpoints, lineage
from cmd_plugin.errors import UserError
from cmd_plugin.merge import merge_files
from cmd_plugin.recipes import RECIPES
from ltr.models.tracking.dimpnet import dimpnet_small
from tests.distilling.conftest import make, network_file, small_net

pytestmark = pytest.mark.usefixtures('no_settings')


def test_missing_ancestors_are_listed_as_commands_in_the_order_to_run_them(workspace, tmp_path):
    def asked(name: str, tracker: str = 'cmd_dimp') -> list[str]:
        with pytest.raises(UserError) as caught:
            lineage.start(None, RECIPES[tracker][name])
        assert '\n' not in str(caught.value) and str(caught.value).endswith('; or give --init PATH')
        return re.findall(rf'python ltr/run_training\.py {tracker} (\w+)', str(caught.value))
    for row in ('d1', 'd2', 'd3', 'd4', 'd5'):
        assert asked(row) == ['a1', 'b1', 'b2', 'b3', 'c1']
    assert asked('b3') == asked('b3', 'cmd_atom') == ['a1', 'b1', 'b2']
    assert asked('b1') == ['a1']
    make('a1', workspace, init=network_file(tmp_path))
    assert asked('d3') == ['b1', 'b2', 'b3', 'c1']
    checkpoints.save(checkpoints.folder_of('b3') / 'DiMPnet_ep0001.pth.tar', small_net(), {'recipe': 'b3'})
    assert asked('d3') == ['c1']
    assert asked('b3') == ['b1', 'b2']


def test_a1_asks_for_its_checkpoint(workspace):
    with pytest.raises(UserError, match='a1 is the RGB parent: give its checkpoint with --init'):
        lineage.start(None, RECIPES['cmd_dimp']['a1'])


def put(recipe: str, seed: int, says: str | None = None) -> Path:
    path = checkpoints.folder_of(recipe) / 'DiMPnet_ep0001.pth.tar'
    checkpoints.save(path, small_net(seed), {'recipe': says or recipe})
    return path


def test_an_ancestor_of_another_parent_is_refused(workspace):
    put('a1', 0), put('b1', 0)
    stranger = put('b2', 1)
    with pytest.raises(UserError, match=re.escape(f'{stranger} comes from another parent')):
        lineage.start(None, RECIPES['cmd_dimp']['b3'])


def test_a_file_of_another_recipe_in_an_ancestors_place_is_refused(workspace):
    put('a1', 0), put('b2', 0)
    wrong = put('b1', 0, says='b2')
    with pytest.raises(UserError, match=re.escape(f"{wrong} is a network of 'b2', not of b1")):
        lineage.start(None, RECIPES['cmd_dimp']['b3'])


def test_an_ancestor_of_another_kind_of_network_is_refused(workspace):
    put('a1', 0), put('b1', 0)
    other = checkpoints.folder_of('b2') / 'DiMPnet_ep0001.pth.tar'
    checkpoints.save(other, dimpnet_small(out_feature_dim=32), {'recipe': 'b2'})
    with pytest.raises(UserError, match=re.escape(f'{other} holds another network (dimpnet_small) than ')):
        lineage.start(None, RECIPES['cmd_dimp']['b3'])


def another_head(workspace, tmp_path, tracker: str) -> Path:
    """A parent with the backbone of `small_net()` and another IoU predictor, as two ATOM networks may be."""
    net = small_net(0, tracker)
    net.bb_regressor.iou_predictor.bias.data.add_(1)
    path = tmp_path / 'another_head.pth.tar'
    checkpoints.save(path, net, {})
    return path


@pytest.mark.parametrize('tracker', ['cmd_dimp', 'cmd_atom'])
def test_an_ancestor_of_a_parent_with_the_same_backbone_but_another_head_is_refused(workspace, tmp_path, tracker,
                                                                                    world_pairs):
    make('b1', workspace, tracker, init=network_file(tmp_path, tracker=tracker), data=[world_pairs])
    stranger = make('b2', workspace, tracker, init=another_head(workspace, tmp_path, tracker), data=[world_pairs])
    make_a1_last = checkpoints.folder_of('a1', tracker) / 'Net_ep0001.pth.tar'
    checkpoints.save(make_a1_last, small_net(0, tracker), {'recipe': 'a1', 'tracker': tracker})
    with pytest.raises(UserError, match=re.escape(f'{stranger} comes from another parent than {make_a1_last}: it was '
                                                  'distilled from other weights')):
        lineage.start(None, RECIPES[tracker]['b3'])


def test_a_parent_of_the_other_tracker_is_refused(workspace, tmp_path, world_pairs):
    dimp, atom = network_file(tmp_path), network_file(tmp_path, tracker='cmd_atom')
    with pytest.raises(UserError, match=re.escape(f'{dimp} holds a dimpnet_small, which is no network of cmd_atom: it '
                                                  'takes atom18, atom50, atom_small')):
        make('a1', workspace, 'cmd_atom', init=dimp)
    with pytest.raises(UserError, match='holds a atom_small, which is no network of cmd_dimp: it takes dimp50'):
        make('d3', workspace, 'cmd_dimp', init=atom, data=[world_pairs])
    assert not list(workspace.rglob('*.pth.tar'))


def test_merge_refuses_branches_that_have_learned_nothing(workspace, tmp_path):
    """`--reference` and `--test` swapped would give the parent again."""
    base, b1, b2 = (network_file(tmp_path, recipe=name) for name in ('a1', 'b1', 'b2'))
    with pytest.raises(UserError, match=r'is a network of b2, whose reference branch .* has learned nothing: '
                                        r'--reference takes b1, --test takes b2'):
        merge_files(base, b2, b1, tmp_path / 'out.pth.tar')
    with pytest.raises(UserError, match='is a network of b1, whose test branch'):
        merge_files(base, b1, b1, tmp_path / 'out.pth.tar')
    assert not (tmp_path / 'out.pth.tar').exists()


def test_merge_refuses_networks_of_two_trackers(tmp_path):
    dimp, atom = network_file(tmp_path), network_file(tmp_path, tracker='cmd_atom')
    with pytest.raises(UserError, match=r'holds another network \(atom_small\) than .* \(dimpnet_small\)'):
        merge_files(dimp, atom, dimp, tmp_path / 'out.pth.tar')


def test_merge_refuses_strangers(tmp_path):
    base, stranger = network_file(tmp_path, 0), network_file(tmp_path, 1)
    with pytest.raises(UserError, match='another parent'):
        merge_files(base, base, stranger, tmp_path / 'out.pth.tar')
    other = tmp_path / 'other.pth.tar'
    checkpoints.save(other, dimpnet_small(out_feature_dim=32), {})
    with pytest.raises(UserError, match='another network'):
        merge_files(base, other, base, tmp_path / 'out.pth.tar')
    with pytest.raises(UserError, match='no checkpoint'):
        merge_files(base, tmp_path / 'missing.pth.tar', base, tmp_path / 'out.pth.tar')
    (tmp_path / 'file').touch()
    with pytest.raises(UserError, match='cannot write'):
        merge_files(base, base, base, tmp_path / 'file' / 'out.pth.tar')
    assert not (tmp_path / 'out.pth.tar').exists()


def test_b3_takes_no_init(workspace, tmp_path, monkeypatch):
    monkeypatch.setenv('CMD_INIT', str(network_file(tmp_path)))
    with pytest.raises(UserError, match='b3 is put together from b1 and b2: leave --init'):
        lineage.start(None, RECIPES['cmd_dimp']['b3'])


def test_net_must_be_that_of_the_parent_in_the_workspace(workspace, monkeypatch):
    put('a1', 0)
    monkeypatch.setenv('CMD_NET', 'dimp50')
    with pytest.raises(UserError, match='holds a dimpnet_small, not the network --net dimp50'):
        lineage.start(None, RECIPES['cmd_dimp']['c1'])
