"""The sections of the benchmark beside tracking, what is refused, and where the figures go."""

from __future__ import annotations

import json

import pytest

from ltr.admin.errors import UserError
from pytracking import benchmark
from pytracking.analysis import speed

SMALL = ['--net', 'dimp_small', '--device', 'cpu', '--batch', '2', '--workers', '0']


@pytest.fixture
def tiny_evaluation(monkeypatch):
    monkeypatch.setattr(speed, 'SIZES', {'tiny': ('lsotb', 1, 3, 60)})


def test_sections_in_a_table_and_a_file(tmp_path, capsys, tiny_evaluation):
    path = tmp_path / 'new' / 'figures.json'
    assert benchmark.main(['training', 'loader', 'evaluation', *SMALL, '--json', str(path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(':')[0] for line in lines[1:3]] == ['dimp_small, training', 'dimp_small, loader']
    report = json.loads(path.read_text(encoding='utf-8'))
    assert 'dimp_small' not in report, 'tracking was not asked for'
    training, loader = report['training']['dimp_small'], report['loader']['dimp_small']
    assert training['ratio'] == pytest.approx(training['step_ms'] / training['unit_ms'])
    assert training['samples_per_second'] == pytest.approx(2000 / training['step_ms'])
    assert training['ratio'] > 1, 'a step runs the backbone forward, and backward'
    assert loader['batch_ms'] > 0 and loader['samples_per_second'] == pytest.approx(2000 / loader['batch_ms'])
    assert report['evaluation']['tiny']['seconds'] > 0


@pytest.mark.slow
def test_all_of_them(capsys, tiny_evaluation):
    assert benchmark.main(['all', *SMALL[:-1], '2', '--frames', '2', '--json']) == 0
    assert set(json.loads(capsys.readouterr().out)) == {'device', 'torch', 'threads', 'dimp_small', 'training',
                                                        'loader', 'evaluation'}


@pytest.mark.parametrize(('arguments', 'message'), [
    (['trainig'], "unknown section 'trainig': did you mean 'training'"),
    (['--json', 'training'], '--json took training for its file'),
    (['training', '--batch', '1'], '--batch must be 2 or more'),
    (['evaluation', '--json', 'FOLDER'], 'cannot write ')])
def test_refused(tmp_path, tiny_evaluation, arguments, message):
    arguments = [str(tmp_path) if one == 'FOLDER' else one for one in arguments]
    with pytest.raises(UserError, match=message):
        benchmark.main(arguments)


@pytest.mark.parametrize('given', ['--frames 0', '--frames -30', '--threads -1', '--threads 0', '--batch 0',
                                   '--workers -1', '--batch-sequences 0'])
def test_numbers_that_cannot_be(given, capsys):
    with pytest.raises(SystemExit, match='2'):
        benchmark.main(given.split())
    assert 'is less than' in capsys.readouterr().err
