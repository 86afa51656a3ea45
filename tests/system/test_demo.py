"""The demo, from a world to pictures, in its smallest size."""

from __future__ import annotations

import struct

import pytest

from tests.system.conftest import one_line, run


@pytest.fixture(scope='module')
def first(tmp_path_factory):
    """Output folder and result of a run."""
    out = tmp_path_factory.mktemp('demo')
    result = run(out, '-m', 'cmd_plugin', 'demo', '--size', 'test', '--out', out)
    assert result.returncode == 0, result.stderr
    return out, result


def png_size(path) -> tuple[int, int]:
    head = path.read_bytes()[:24]
    assert head[:8] == b'\x89PNG\r\n\x1a\n'
    return struct.unpack('>II', head[16:24])


def rows_after(text: str, title: str) -> list[str]:
    """Lines of the table under `title`, without its head."""
    lines = text[text.index(title):].splitlines()
    rule = next(number for number, line in enumerate(lines) if line and set(line) == {'-'})
    end = next(number for number, line in enumerate(lines) if line.startswith('protocol '))
    return lines[rule + 1:end]


def test_demo_prints_its_table_and_saves_two_pictures(first):
    out, result = first
    rows = rows_after(result.stdout, 'on thermal sequences:')
    assert [row[:27].strip() for row in rows] == ['static box', 'parent', 'parent + RGB-RGB (control)',
                                                  'parent + RGB-TIR (d3)']
    assert all(0 <= float(figure) <= 100 for row in rows for figure in row[27:].split()[:3])
    assert rows[0].split()[-1] == '-' and all(float(row.split()[-1]) > 0 for row in rows[1:])
    assert len(rows_after(result.stdout, 'the parent on RGB sequences it has not seen:')) == 1
    assert 'the paper takes 260,000 at tcl=2e-8, bbe=1e-7' in result.stdout
    assert "learning rates are not the paper's: tcl 0.0001 (paper 2e-08), bbe 1e-06 (paper 1e-07)" in result.stdout
    pictures = {label: out / 'test' / 'seed_0' / f'{name}.png'
                for label, name in (('success plot', 'success'), ('picture strip', 'strip'))}
    for label, path in pictures.items():
        assert f'{label}: {path}\n' in result.stdout
        width, height = png_size(path)
        assert width > 400 and height > 200
    assert 'python ltr/run_training.py cmd_dimp d3 --init' in result.stdout


def test_a_second_run_does_nothing_twice(first):
    """It stands on the first one's folder, whose network files it leaves as they are."""
    out, _ = first
    made = sorted((out / 'test').rglob('*.pth.tar'))
    assert {path.parent.name for path in made} == {'dimp_small', 'networks', 'control', 'd3'}
    before = {path: path.stat().st_mtime_ns for path in made if path.parent.name != 'networks'}
    result = run(out, '-m', 'cmd_plugin', 'demo', '--size', 'test', '--out', out)
    assert result.returncode == 0, result.stderr
    assert result.stdout.count('nothing to do: epoch 1 of 1 is done') == 3
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert result.stdout.count('0 sequences run, 2 were finished before') == 1  # of the parent, on RGB
    assert result.stdout.count('0 sequences run, 6 were finished before') == 1  # of all three, on TIR


@pytest.mark.slow
def test_several_seeds_give_mean_and_spread(command, tmp_path):
    result = command('-m', 'cmd_plugin', 'demo', '--size', 'test', '--out', tmp_path, '--seeds', '2', '--seed', '3')
    assert result.returncode == 0, result.stderr
    assert 'mean and standard deviation over seeds 3, 4' in result.stdout
    summary = result.stdout[result.stdout.index('mean and standard deviation'):]
    assert summary.count(' +- ') == 4 * 3


def test_a_folder_with_other_files_is_left_alone(command, tmp_path):
    mine = tmp_path / 'out' / 'test' / 'seed_0' / 'world' / 'rgb' / 'mine.txt'
    mine.parent.mkdir(parents=True)
    mine.write_text('precious')
    assert 'holds files that were not generated' in one_line(command('-m', 'cmd_plugin', 'demo', '--size', 'test',
                                                                     '--out', tmp_path / 'out'))
    assert mine.read_text() == 'precious'
