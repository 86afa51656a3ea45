"""The ceiling: thermal labels of other videos alone, after the choice, and what learns is what is said."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch

from cmd_plugin import checkpoints
from cmd_plugin.errors import UserError
from cmd_plugin.reproduce import ceiling
from cmd_plugin.reproduce.ceiling import ARMS, Arm
from cmd_plugin.reproduce.runs import labelled, videos_of
from tests.reproduce.test_reproduce_whole import command, straight  # noqa: F401

LABELS = Arm(labels=True, opened=False)


def test_every_video_is_tested_once_by_a_network_that_has_not_seen_it(data):
    videos = videos_of(labelled(data))
    assert videos == ['horse', 'uav_1', 'camel_1']
    for arm in ARMS:
        tested = [video for fold in arm.folds for video in videos if ceiling.in_fold(video, videos, arm, fold)]
        assert sorted(tested) == sorted(videos)
    for fold in LABELS.folds:
        seen = ceiling.thermal_video(data, LABELS, fold)
        files = {frame.parent.parent.name for sequence in seen.sequences for frame in sequence.frames}
        assert files == {video for video in videos if not ceiling.in_fold(video, videos, LABELS, fold)}


def test_truth_that_is_none_is_no_label(data):
    run = labelled(data)[0]
    truth = run.sequence.ground_truth_rect.copy()
    truth[1], truth[2, 2], truth[3] = float('nan'), 0, (1, 2, 3, float('inf'))
    run.sequence.ground_truth_rect = truth
    boxes = ceiling.boxes_of(run)
    assert boxes[1:4].tolist() == [[0, 0, 0, 0]] * 3
    torch.testing.assert_close(boxes[4:], torch.tensor(truth[4:], dtype=torch.float32))


def test_it_waits_for_the_choice(data, parent, size):
    with pytest.raises(UserError, match='no choice stands yet'):
        ceiling.train(data, parent, size, LABELS, 0, 0, 'cpu', 0)
    with pytest.raises(UserError, match='no choice stands yet'):
        ceiling.evaluate(data, parent, size, LABELS, 0, 'cpu')


@pytest.mark.parametrize('opened', [False, True])
def test_heads_learn_and_layer3_where_it_is_opened(data, parent, size, opened, monkeypatch):
    monkeypatch.setattr(ceiling, 'locked', lambda work: [])
    monkeypatch.setattr(ceiling, 'parent_data', lambda data, work: ([ceiling.FolderVideo(data.root / 'rgb')], [1.0]))
    arm = Arm(labels=True, opened=opened)
    ceiling.train(data, parent, replace(size, steps=(2,)), arm, 1, 0, 'cpu', 0)
    before, after = (checkpoints.load(path)[0].state_dict()
                     for path in (parent.parent, ceiling.network_of(parent, arm, 1, 0)))
    moved = {'.'.join(name.split('.')[:2]) for name, value in after.items() if not torch.equal(value, before[name])}
    assert ('feature_extractor.layer3' in moved) == opened
    assert not any(name.startswith('feature_extractor') and 'layer3' not in name for name in moved)
    assert any(name.startswith('classifier') for name in moved)
    assert any(name.startswith('bb_regressor') for name in moved)


@pytest.mark.slow
def test_the_stage_needs_the_choice_alone(data, straight, tmp_path, capfd):  # noqa: F811
    taken = ('--parent', str(straight.parent), '--stages')
    with pytest.raises(UserError, match='no choice stands yet'):
        command(data, tmp_path, *taken, 'ceiling')
    assert command(data, tmp_path, *taken, 'candidates', 'selection', 'ceiling') == 0
    found, results = (json.loads(path.read_text()) for path in (tmp_path / 'test' / 'ceiling.json',
                                                                straight / 'results.json'))
    names = {*(arm.name for arm in ARMS), 'parent'}
    assert set(found['means']) == set(found['selection']) == names
    assert found['means']['parent']['success'] == [results['means']['parent']['success']]
    assert found['selection']['parent'] == [results['untrained']['parent']['success']]
    assert found['effects']['control less parent']['success']['runs'] == results['rows'][0]['runs']
    means = {name: sum(values['success']) / len(values['success']) for name, values in found['means'].items()}
    assert found['effects']['labels less control']['success']['mean'] == pytest.approx(
        means['labels'] - means['control'])
    assert '| labels less control |' in capfd.readouterr().out
    assert not (tmp_path / 'test' / 'report' / 'report.md').exists()
