"""The statistics against closed forms and simulation; the stop rule; the pieces; the start points."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from cmd_plugin import cli
from cmd_plugin.errors import UserError
from cmd_plugin.reproduce import command, stages
from cmd_plugin.reproduce.baselines import classic, with_template
from cmd_plugin.reproduce.command import begin
from cmd_plugin.reproduce.pieces import ON_TIME, OUT_OF_TIME, Pace, Piece, run
from cmd_plugin.reproduce.places import Data
from cmd_plugin.reproduce.plateau import is_plateau
from cmd_plugin.reproduce.report import effect_lines
from cmd_plugin.reproduce.runs import LEAST, parts, spread
from cmd_plugin.reproduce.runs import test_runs as runs_of
from cmd_plugin.reproduce.sizes import SIZES
from cmd_plugin.reproduce.statistics import effect
from cmd_plugin.reproduce.summary import GOAL, plain
from pytracking.evaluation.data import Sequence

ROOT = Path(__file__).resolve().parents[2]


def crossed(rng, videos, seeds, runs, sd_video=1.0, sd_seed=0.5, sd_run=0.0):
    """Differences (videos * runs, seeds) with a share of every video and of every seed."""
    values = sd_video * rng.normal(size=(videos, 1, 1)) + sd_seed * rng.normal(size=(1, 1, seeds))
    values = values + sd_run * rng.normal(size=(videos, runs, seeds))
    return values.reshape(-1, seeds), [f'v{i}' for i in range(videos) for _ in range(runs)]


def test_error_of_a_crossed_table_has_a_closed_form():
    """Means over drawn videos and means over drawn seeds add: sample variances, each over its number."""
    differences, videos = crossed(np.random.default_rng(1), 7, 4, 3)
    found = effect(differences, videos, draws=40_000)
    by_video = differences.reshape(7, 3, 4).mean(axis=(1, 2))
    by_seed = differences.mean(axis=0)
    expected = np.sqrt(by_video.var(ddof=1) / 7 + by_seed.var(ddof=1) / 4)
    assert found.error == pytest.approx(expected, rel=0.02)
    assert found.mean == pytest.approx(differences.mean()) and (found.videos, found.runs, found.seeds) == (7, 21, 4)


def test_with_one_seed_it_is_the_t_interval_of_the_video_means():
    differences, videos = crossed(np.random.default_rng(7), 9, 1, 2, sd_seed=0.0)
    found = effect(differences, videos, draws=40_000)
    low, high = stats.ttest_1samp(differences.reshape(9, 2).mean(axis=1), 0.0).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.06 * (high - low))


def test_runs_of_one_video_are_no_evidence_of_their_own():
    """Ten times the same runs in each video leave the interval as it is."""
    differences, videos = crossed(np.random.default_rng(2), 6, 3, 1)
    once = effect(differences, videos)
    often = effect(np.repeat(differences, 10, axis=0), [video for video in videos for _ in range(10)])
    assert (often.low, often.high) == pytest.approx((once.low, once.high))


def test_videos_of_many_runs_weigh_more_in_the_mean_over_runs():
    found = effect(np.array([[1.0], [1.0], [1.0], [5.0]]), ['a', 'a', 'a', 'b'])
    assert found.mean == pytest.approx(2.0) and found.low < 1.0 < 5.0 < found.high


@pytest.mark.parametrize(('videos', 'seeds', 'spread'), [(10, 3, 0.3), (13, 5, 0.0), (13, 3, 2.0)])
def test_the_interval_covers_the_truth_about_as_often_as_it_says(videos, seeds, spread):
    """Whether videos or seeds are what differs: three seeds that differ much are little evidence."""
    rng = np.random.default_rng(3)
    hits = 0
    for number in range(300):
        differences, names = crossed(rng, videos, seeds, 2, sd_seed=spread, sd_run=0.5)
        found = effect(differences + 0.7, names, seed=number, draws=500)
        hits += found.low <= 0.7 <= found.high
    assert 0.91 <= hits / 300 <= 0.995


def test_the_detectable_effect_is_detected_four_times_of_five():
    rng = np.random.default_rng(4)
    draws = [crossed(rng, 12, 2, 1, sd_seed=0.0) for _ in range(300)]
    true = float(np.mean([effect(*one, draws=300).detectable for one in draws]))
    seen = np.mean([effect(values + true, videos, draws=300).low > 0 for values, videos in draws])
    assert 0.7 <= seen <= 0.9


def test_one_video_gives_no_interval():
    found = effect(np.ones((3, 2)), ['a'] * 3)
    assert found.mean == 1 and np.isnan([found.low, found.high, found.detectable]).all()
    assert 'no interval' in found.line()
    json.dumps(plain(vars(found)), allow_nan=False)


def test_what_is_the_same_in_every_run_says_so():
    assert effect(np.zeros((4, 2)), ['a', 'a', 'b', 'c']).line() == '+0.00, the same in every run'


@pytest.mark.parametrize('shape', [(0, 2), (2, 0), (3, 2)])
def test_a_table_that_does_not_fit_is_refused(shape):
    with pytest.raises(ValueError, match='runs'):
        effect(np.zeros(shape), ['a', 'b'])


def curve(success, loss, noise=0.0):
    rng = np.random.default_rng(0)
    return [{'loss': one, 'success': {name: mean + shift + noise * rng.normal() for name, shift in
                                      zip('abcdefgh', range(8), strict=True)}}
            for mean, one in zip(success, loss, strict=True)]


def test_a_curve_that_has_flattened_is_a_plateau():
    flat = [20, 35, 45, 50, 52, 53, 53.2, 53.0, 53.1, 53.2, 53.1, 53.2]
    assert is_plateau(curve(flat, [9, 6, 5, 4.5, 4.2, 4.1, 4.05, 4.0, 4.02, 4.0, 4.01, 4.0])).reached


@pytest.mark.parametrize(('success', 'loss'), [
    (np.linspace(20, 53, 12), np.full(12, 4.0)),      # Success still rises
    (np.full(12, 50.0), np.linspace(9, 4, 12)),       # the loss still falls
    ([50.0, 50.0], [4.0, 4.0]),                       # too few epochs
    ([50.0] * 8 + [40.0] * 4, np.full(12, 4.0)),      # Success falls
    (np.full(12, 50.0), [4.0] * 8 + [5.0] * 4),       # the loss rises
])
def test_a_curve_that_moves_is_none(success, loss):
    found = is_plateau(curve(success, loss))
    assert not found.reached and 'NOT' in found.line()


def test_the_goal_is_reached_by_the_interval_and_the_mean_together():
    row = {measure: {'mean': mean, 'low': low, 'high': 3.0, 'error': 0.5, 'detectable': 1.0, 'videos': 13, 'runs': 99,
                     'seeds': 5} for measure, mean, low in
           (('success', 2.0, 0.5), ('precision', 1.9, 0.5), ('norm_precision', 2.4, -0.1))}
    text = effect_lines({'effect': row, 'less_parent': {'child': row['success'], 'control': row['success']}}, GOAL)[0]
    told = [line.rsplit(': ', 1)[1] for line in text.splitlines()[:3]]
    assert told == ['reached)', 'not reached)', 'not reached)']


def test_a_gain_within_its_noise_is_no_gain():
    success = [50.0] * 8 + [51.5] * 4
    assert not is_plateau(curve(success, [4.0] * 12)).reached
    assert is_plateau(curve(success, [4.0] * 12, noise=16)).reached


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def written(tmp_path, clock=None, number=4, seconds=60.0, log=None):
    def make(path):
        if log is not None:
            log.append(path.name)
        if clock is not None:
            clock.now += seconds
        path.write_text('')
    return [Piece('stage', str(i), tmp_path / str(i), lambda p=tmp_path / str(i): make(p)) for i in range(number)]


def test_finished_pieces_are_not_done_again(tmp_path, capsys):
    log = []
    (tmp_path / '1').write_text('')
    assert run(written(tmp_path, log=log)) == ON_TIME and log == ['0', '2', '3']
    assert run(written(tmp_path, log=log)) == ON_TIME and len(log) == 3


def test_the_time_limit_is_kept_and_the_time_left_told(tmp_path, capsys):
    clock, log = Clock(), []
    assert run(written(tmp_path, clock, log=log), 2.5, clock=clock) == OUT_OF_TIME and log == ['0', '1']
    out = capsys.readouterr().out
    assert 'about 3 minutes left' in out and 'the same command goes on with stage: 2' in out
    assert run(written(tmp_path, clock, log=log), 2.5, clock=clock) == ON_TIME and len(log) == 4
    assert run(written(tmp_path / 'x', clock, number=0), 0.001, clock=clock) == ON_TIME


def test_one_of_two_at_once_takes_twice_as_long():
    clock = Clock()
    pace = Pace(2.5, clock)
    clock.now, pace.paid = 60.0, 1.0
    one = Piece('stage', 'one', Path('nowhere'), lambda: None)
    assert not pace.is_late_for(one) and pace.is_late_for(one, jobs=2)


def leave(path, fault=''):
    if fault:
        raise UserError(fault)
    path.write_text(str(os.getpid()))


def alone(tmp_path, *faults):
    return [Piece('stage', str(i), tmp_path / str(i), partial(leave, tmp_path / str(i), fault), alone=True)
            for i, fault in enumerate(faults)]


def test_pieces_that_stand_alone_share_the_processors(tmp_path):
    assert run(alone(tmp_path, '', '', ''), jobs=2) == ON_TIME
    made = {(tmp_path / str(i)).read_text() for i in range(3)}
    assert str(os.getpid()) not in made and len(made) <= 2
    assert run(alone(tmp_path / 'x'), jobs=2) == ON_TIME


def test_a_piece_that_fails_elsewhere_fails_here_and_the_others_stay(tmp_path):
    with pytest.raises(UserError, match='no such thing'):
        run(alone(tmp_path, '', 'no such thing'), jobs=2)
    assert (tmp_path / '0').is_file() and not (tmp_path / '1').exists()
    assert run(alone(tmp_path, '', ''), jobs=2) == ON_TIME


SLEEPS = '''
import time
from functools import partial
from pathlib import Path
from cmd_plugin.reproduce.pieces import Piece, run

def sleep(path):
    path.with_suffix('.begun').write_text('')
    time.sleep(120)

if __name__ == '__main__':
    run([Piece('s', str(i), Path(str(i)), partial(sleep, Path(str(i))), alone=True) for i in range(3)], jobs=2)
'''


@pytest.mark.skipif(os.name == 'nt', reason='sends SIGINT')
@pytest.mark.parametrize('whole_group', [True, False])
def test_ctrl_c_ends_all_workers_at_once(tmp_path, whole_group):
    (tmp_path / 'sleeps.py').write_text(SLEEPS)
    process = subprocess.Popen([sys.executable, 'sleeps.py'], cwd=tmp_path, start_new_session=True, text=True,
                               stderr=subprocess.PIPE, env={**os.environ, 'PYTHONPATH': str(ROOT)})
    until(lambda: len(list(tmp_path.glob('*.begun'))) == 2)
    (os.killpg if whole_group else os.kill)(process.pid, signal.SIGINT)
    told = process.communicate(timeout=20)[1]
    assert process.returncode in (1, 130, -signal.SIGINT)
    assert 'KeyboardInterrupt' in told and told.count('Traceback') == 1, 'that of the script, which does not catch it'
    until(lambda: not is_there(process.pid))


def is_there(group):
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def until(condition, seconds=60.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_a_piece_that_leaves_nothing_is_a_fault(tmp_path):
    with pytest.raises(RuntimeError, match='did not write'):
        run([Piece('stage', 'lazy', tmp_path / 'x', lambda: None)])


def test_needless_pieces_are_passed_over(tmp_path):
    assert run([Piece('stage', 'none', tmp_path / 'x', lambda: 1 / 0, needless=lambda: True)]) == ON_TIME


def sequence(length, bad=()):
    boxes = np.full((length, 4), 5.0)
    boxes[list(bad)] = 0
    return Sequence('s', [f'v/img/{i}.jpg' for i in range(length)], 'd', boxes)


@given(st.integers(1, 400), st.integers(5, 150), st.integers(5, 150))
def test_start_points(length, frames, gap):
    made = parts(sequence(length), frames, gap)
    assert [int(part.name.partition('@')[2]) for part in made] == [
        start for start in range(0, length, gap) if start == 0 or length - start >= LEAST]
    for part in made:
        assert len(part.frames) == min(frames, length - int(part.name.partition('@')[2]))
        assert len(part.ground_truth_rect) == len(part.frames)


def test_a_run_begins_with_a_usable_box():
    made = parts(sequence(100, bad=range(40, 55)), 30, 40)
    assert [part.name for part in made] == ['s@0', 's@55', 's@80'] and made[1].frames[0] == 'v/img/55.jpg'
    assert [part.name for part in parts(sequence(100, bad=range(40, 80)), 30, 40)] == ['s@0', 's@80']


def test_spread_takes_both_ends():
    many = [sequence(i + 1) for i in range(10)]
    assert [len(one.frames) for one in spread(many, 3)] == [1, 5, 10] and spread(many, 0) == many


def test_runs_know_video_and_group(data):
    found = {run.sequence.name: (run.video, run.group) for run in runs_of(data, SIZES['test'])}
    assert found['camel_1_1_1@0'] == ('camel_1', 'people') and found['camel_1_2_1@40'] == ('camel_1', 'vehicles')
    assert found['horse@20'] == ('horse', 'animals') and found['uav_1@0'] == ('uav_1', 'UAVs')


def test_runs_of_the_real_test_videos(shared_data):
    few, every = (runs_of(Data(shared_data), SIZES[name]) for name in ('quick', 'full'))
    assert len({run.video for run in few}) == len({run.video for run in every}) == 13
    assert {run.group for run in few} == {'people', 'vehicles', 'animals', 'UAVs'}
    assert len({run.sequence.name for run in every}) == len(every) > 100 > len(few) > 40
    assert all((run.sequence.ground_truth_rect[0] > 0).all() and len(run.sequence.frames) >= LEAST for run in every)


def test_the_template_follows_a_square_and_opencv_is_asked_for_what_it_has(tmp_path):
    import cv2
    for i in range(4):
        image = np.random.default_rng(0).integers(0, 40, (80, 100, 3)).astype(np.uint8)
        image[20 + 3 * i:32 + 3 * i, 30 + 4 * i:42 + 4 * i] = np.random.default_rng(1).integers(100, 255, (12, 12, 1))
        cv2.imwrite(str(tmp_path / f'{i}.png'), image)
    truth = np.array([[30 + 4 * i, 20 + 3 * i, 12, 12] for i in range(4)], float)
    moving = Sequence('s', [str(tmp_path / f'{i}.png') for i in range(4)], 'd', truth)
    np.testing.assert_array_equal(with_template(moving), truth)
    assert set(classic()) <= {'KCF', 'CSRT'}


def test_a_workspace_is_not_mixed(tmp_path):
    begin(tmp_path / 'begun.json', {'data': 'a', 'seeds': 3})
    begin(tmp_path / 'begun.json', {'data': 'a', 'seeds': 3})
    with pytest.raises(UserError, match='begun with seeds 3, now 5'):
        begin(tmp_path / 'begun.json', {'data': 'a', 'seeds': 5})


def test_stages_of_the_command_are_those_that_are_made(tmp_path, monkeypatch):
    assert (*command.STAGES, *command.ASKED) == tuple(stages.MAKERS)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match='no folder'):
        cli.main(['reproduce', '--data', 'nowhere'])
    with pytest.raises(SystemExit, match='2'):
        cli.main(['reproduce', '--data', '.', '--stages', 'evaluate'])
    assert not list(tmp_path.iterdir()), 'a mistake leaves nothing behind'


def test_the_command_line_comes_before_the_size():
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)

    def size(*given):
        return command.size_of(SIZES['evening'], parser.parse_args(['--data', 'x', *given]))
    assert size() == SIZES['evening']
    assert size('--steps', '300').steps == (300,) and size('--jobs', '2').threads == 0
    assert size('--jobs', '2', '--threads', '3').threads == 3
    assert size('--precision', 'bfloat16').precision == 'bfloat16' and size('--targets', '0').runs == 0
    assert (size('--rows', 'd3', 'b1', '--tested', '5').rows, size('--rows', 'd3').chosen) == (('d3', 'b1'), 1)
    for wrong, message in ((('--steps', '250'), 'a multiple of 100, not 250'), (('--rows', 'd9'), "row 'd9'")):
        with pytest.raises(UserError, match=message):
            size(*wrong)


def test_sizes_fit_together():
    for size in SIZES.values():
        assert all(steps % size.piece == 0 for steps in size.steps) and list(size.steps) == sorted(size.steps)
        assert size.parent_least <= size.parent_epochs and size.chosen <= len(size.rows)
        assert size.label_sigma * size.cells == pytest.approx(0.9)
