"""The picture tool, the errors of the command line, and real pairs."""

from __future__ import annotations

import runpy
import sys

import cv2
import numpy as np
import pytest

import cmd_plugin.errors
from cmd_plugin.data import CenterArea, PairedDataset, PairedSampler, cross_modal_processing
from cmd_plugin.data.sheet import to_pixels
from cmd_plugin.errors import UserError

REAL_PAIRS = {'m3svd': 180, 'msrs': 91, 'roadscene': 221, 'tno': 42, 'vtuav_bus1': 101}


def run(monkeypatch, *args: object) -> int:
    """Exit status of `python -m cmd_plugin.data ARGS`, in this process."""
    monkeypatch.setattr(sys, 'argv', ['cmd_plugin.data', *map(str, args)])
    with pytest.raises(SystemExit) as exit_:
        runpy.run_module('cmd_plugin.data', run_name='__main__')
    return exit_.value.code


def test_sheet_of_samples(tmp_path, write_pair, monkeypatch, capsys):
    write_pair('set', '1.png', size=(90, 120))
    out = tmp_path / 'sheet.png'
    assert run(monkeypatch, '--data', tmp_path, '--out', out, '--samples', 3, '--size', 96) == 0
    assert 'pairs: 1 from 1 folder (0 without a twin)' in capsys.readouterr().out
    first = cv2.imread(str(out))
    assert first.shape == (24 + 3 * 100, 4 * 100, 3)
    assert run(monkeypatch, '--data', tmp_path, '--out', out, '--samples', 3, '--size', 96) == 0
    np.testing.assert_array_equal(cv2.imread(str(out)), first)
    assert run(monkeypatch, '--data', tmp_path, '--out', out, '--samples', 3, '--size', 96, '--seed', 1) == 0
    assert not np.array_equal(cv2.imread(str(out)), first)


@pytest.mark.parametrize(('args', 'says'), [
    (['--data', 'nowhere', '--out', 's.png'], 'error: no such folder or list of pairs: nowhere'),
    (['--data', 'set', '--out', 'set/visible/1.png/s.png', '--samples', '1', '--size', '32'], 'error: cannot write'),
    (['--data', 'set', '--out', 's.png', '--fraction', '2'], 'error: center_area: fraction'),
    (['--data', 'set', '--out', 's.png', '--size', '100'], 'multiple of 16'),
    (['--data', 'set', '--out', 's.png', '--seed', '-1'], 'argument --seed: -1 is less than 0')])
def test_mistakes_end_with_status_2_and_one_line(tmp_path, write_pair, monkeypatch, capsys, args, says):
    write_pair('set', '1.png')
    monkeypatch.chdir(tmp_path)
    assert run(monkeypatch, *args) == 2
    error = capsys.readouterr().err
    assert says in error and 'Traceback' not in error


def test_errors_of_the_plugin_are_those_of_the_toolkit():
    from ltr.admin import errors
    assert cmd_plugin.errors.UserError is errors.UserError


def test_errors_on_a_toolkit_that_has_none(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, 'ltr.admin.errors', None)
    own = runpy.run_path(cmd_plugin.errors.__file__)
    assert own['UserError'] is not UserError

    def ends(outcome: BaseException | int | None) -> int:
        def main() -> int | None:
            if isinstance(outcome, BaseException):
                raise outcome
            return outcome
        with pytest.raises(SystemExit) as exit_:
            own['cli'](main)
        return exit_.value.code

    outcomes = [None, 3, own['UserError']('wrong file'), KeyboardInterrupt()]
    assert [ends(outcome) for outcome in outcomes] == [0, 3, 2, 130]
    assert capsys.readouterr().err == 'error: wrong file\nstopped\n'


def test_all_real_pairs_are_found(shared_data):
    dataset = PairedDataset(shared_data / 'pairs')
    assert dataset.summary() == 'pairs: 635 from 5 folders (0 without a twin)'
    found = [dataset.paths(i)[0].relative_to(shared_data / 'pairs').parts[0] for i in range(len(dataset))]
    assert {name: found.count(name) for name in REAL_PAIRS} == REAL_PAIRS
    assert found == sorted(found)


def test_real_pairs_are_twins_by_content(shared_data):
    """A pair's halves show one scene: their edges agree better than those of a shuffled pair, set by set."""
    for name in REAL_PAIRS:
        dataset = PairedDataset(shared_data / 'pairs' / name)
        picked = [dataset.read(i) for i in np.linspace(0, len(dataset) - 1, 12).astype(int)]
        edges = [[edge_map(pair[:, :, channel]) for channel in (1, 3)] for pair in picked]
        own = [float((rgb * tir).mean()) for rgb, tir in edges]
        others = [float((edges[i][0] * edges[(i + 6) % 12][1]).mean()) for i in range(12)]
        assert np.median(own) > np.median(others), name


def edge_map(image: np.ndarray) -> np.ndarray:
    """Standardised gradient size on a common grid."""
    small = cv2.GaussianBlur(cv2.resize(image, (128, 96), interpolation=cv2.INTER_AREA), (0, 0), 1)
    size = np.hypot(*np.gradient(small.astype(np.float32)))
    return (size - size.mean()) / (size.std() + 1e-6)


def test_real_samples(shared_data):
    np.random.seed(0)
    sampler = PairedSampler(PairedDataset(shared_data / 'pairs'), CenterArea(), 10, cross_modal_processing())
    for number in range(10):
        sample = sampler[number]
        pixels = to_pixels(sample['test_images'][0])
        assert pixels.shape == (288, 288, 6)
        assert (pixels[:, :, 3] == pixels[:, :, 5]).all()
        assert not (pixels[:, :, 0] == pixels[:, :, 3]).all()
        assert sample['test_label'].max() > 0.7
    assert sampler.skipped == 0
