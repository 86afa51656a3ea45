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
from cmd_plugin.reproduce.pieces import ON_TIME, OUT_OF_TIME
from cmd_plugin.reproduce.runs import labelled, videos_of
from cmd_plugin.reproduce.tracking import MEASURES
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


def test_truth_that_is_none_is_no_label(data, monkeypatch):
    found = labelled(data)
    run = found[0]
    truth = run.sequence.ground_truth_rect.copy()
    truth[1], truth[2, 2], truth[3] = float('nan'), 0, (1, 2, 3, float('inf'))
    run.sequence.ground_truth_rect = truth
    monkeypatch.setattr(ceiling, 'labelled', lambda data: found)
    boxes = ceiling.thermal_video(data, LABELS, 1).sequences[0].boxes
    assert boxes[1:4].tolist() == [[0, 0, 0, 0]] * 3
    torch.testing.assert_close(boxes[4:], torch.tensor(truth[4:], dtype=torch.float32))


def test_it_waits_for_the_choice(data, parent, size):
    with pytest.raises(UserError, match='no choice stands yet'):
        ceiling.train(data, parent, size, LABELS, 0, 0, 'cpu', 0)
    with pytest.raises(UserError, match='no choice stands yet'):
        ceiling.evaluate(data, parent, size, LABELS, 0, 'cpu')


@pytest.mark.parametrize('arm', ARMS, ids=lambda arm: arm.name)
def test_no_network_tracks_a_video_whose_labels_it_has_seen(data, parent, size, arm, monkeypatch):
    """Both sides are watched where the data goes in: at the loader, and at the tracker."""
    rgb = [ceiling.FolderVideo(data.root / 'rgb')]
    learned, tracked = {}, {}

    def loader_of(sets, weights, *rest):
        seen.update(frame.parent.parent.name for one in sets[1:] for s in one.sequences for frame in s.frames)
        assert weights == ([1.0, 1.0] if arm.labels else [1.0]), 'labels are half of the data'
        return loader(rgb, [1.0], *rest)

    def track(trackers, sequences, threads):
        tracked[trackers[0].network] = [videos[s.name] for s in sequences]

    loader, videos = ceiling.parent.loader_of, {run.sequence.name: run.video for run in ceiling.test_runs(data, size)}
    monkeypatch.setattr(ceiling, 'locked', lambda work: [])
    monkeypatch.setattr(ceiling, 'parent_data', lambda data, work: (rgb, [1.0]))
    monkeypatch.setattr(ceiling.parent, 'loader_of', loader_of)
    monkeypatch.setattr(ceiling, 'track', track)
    monkeypatch.setattr(ceiling, 'figures', lambda tracker, sequences: {
        measure: {s.name: 1.0 for s in sequences} for measure in MEASURES})
    for fold in arm.folds:
        seen: set[str] = set()
        ceiling.train(data, parent, replace(size, steps=(1,)), arm, fold, 0, 'cpu', 0)
        learned[ceiling.network_of(parent, arm, fold, 0)] = seen
    ceiling.evaluate(data, parent, size, arm, 0, 'cpu')
    assert set(tracked) == set(learned)
    assert sorted(video for some in tracked.values() for video in some) == sorted(videos.values()), 'each run once'
    for network, some in tracked.items():
        assert some and not learned[network] & set(some)
        assert learned[network] | set(some) == set(videos.values()) if arm.labels else not learned[network]
    assert list(json.loads(parent.figures(ceiling.label_of(arm, 0)).read_text())['figures']['success']) == list(videos)


def test_fewer_videos_than_folds_are_too_few(data, monkeypatch):
    monkeypatch.setattr(ceiling, 'labelled', lambda data: labelled(data)[:2])
    with pytest.raises(UserError, match='has 2 thermal videos: the ceiling needs 3'):
        ceiling.thermal_video(data, LABELS, 0)


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
    assert command(data, tmp_path, *taken, 'candidates', 'selection') == ON_TIME
    assert command(data, tmp_path, *taken, 'ceiling', '--minutes', '0.0001') == OUT_OF_TIME
    assert command(data, tmp_path, *taken, 'ceiling', '--jobs', '4') == ON_TIME
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
    assert (tmp_path / 'test' / 'report' / 'ceiling.png').stat().st_size > 1000
    assert '| labels less control |' in capfd.readouterr().out
    assert not (tmp_path / 'test' / 'report' / 'report.md').exists()
