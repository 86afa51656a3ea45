"""Published figures: what the files hold against the facts they come from, and real curves of the benchmark."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile

import numpy as np
import pytest

from cmd_plugin import published
from cmd_plugin.datasets.thermal import LSOTB_ATTRIBUTES
from pytracking.analysis.evaluate import aggregate
from pytracking.analysis.protocols import PROTOCOLS, get_protocol
from pytracking.analysis.published import published_rows
from tests.conftest import REPO

MAT_FILES = {'success': 'overlap', 'precision': 'error', 'norm_precision': 'norm_error'}
FILES = sorted(path.stem for path in (REPO / 'cmd_plugin' / 'published').glob('*.csv'))


@pytest.fixture(scope='module')
def aggregated(shared_data):
    """`aggregated(protocol)`: tracker -> measure -> figure, of the benchmark's own curves."""
    scipy_io = pytest.importorskip('scipy.io')
    folder = shared_data / 'lsotb_perfmat'
    names = scipy_io.loadmat(folder / 'overlap50andcentererror20_37.mat')['seq_names'][0]
    files = {measure: scipy_io.loadmat(folder / f'aveSuccessRatePlot_37alg_{key}_OPE.mat')
             for measure, key in MAT_FILES.items()}

    def figures(name: str) -> dict[str, dict[str, float]]:
        protocol = get_protocol(name)
        keep = np.array([str(cell[0]) not in protocol.exclude for cell in names])
        found: dict[str, dict[str, float]] = {}
        for measure, file in files.items():
            for cell, curves in zip(file['nameTrkAll'], file['aveSuccessRatePlot'], strict=True):
                curve = aggregate(curves[keep], protocol.drop_zero_curves)
                found.setdefault(str(cell[0][0]), {})[measure] = float(protocol.measures[measure].figure(curve))
        return found
    return figures


def test_the_benchmarks_own_rows(aggregated):
    rows = [row for row in published.lsotb_tir() if row.protocol == 'lsotb']
    ours = aggregated('lsotb')
    assert len(rows) == 17
    for row in rows:
        for measure in MAT_FILES:
            assert round(ours[row.tracker][measure], 3) == getattr(row, measure), row


@pytest.mark.parametrize('tracker', ['SiamFC-TIR', 'SiamRPN++', 'VITAL', 'ECO-stir'])
def test_the_papers_table_2_over_all_sequences(aggregated, tracker):
    """Only the omission of one sequence gives the paper's baselines."""
    [row] = [row for row in published.lsotb_tir_attributes() if row.attribute is None and row.tracker == tracker]
    ours, full = aggregated('lsotb119')[tracker], aggregated('lsotb')[tracker]
    assert [round(ours[measure], 3) for measure in MAT_FILES] == [row.success, row.precision, row.norm_precision]
    assert [round(full[measure], 3) for measure in MAT_FILES] != [row.success, row.precision, row.norm_precision]


def test_the_papers_atom(aggregated):
    [row] = [row for row in published.lsotb_tir() if row.tracker.startswith('ATOM ')]
    ours = aggregated('lsotb119')['ATOM']
    assert [round(ours[measure], 3) for measure in MAT_FILES] == [row.success, row.precision, row.norm_precision]


def test_table_2_has_every_attribute_of_every_tracker():
    rows = published.lsotb_tir_attributes()
    trackers = {row.tracker for row in rows}
    assert trackers == {'SiamFC-TIR', 'SiamRPN++', 'VITAL', 'ECO-stir', 'DiMP', 'CMD-DiMP'}
    for tracker in trackers:
        assert {row.attribute for row in rows if row.tracker == tracker} == {*LSOTB_ATTRIBUTES, None}
    [one] = [row for row in rows if (row.tracker, row.attribute) == ('CMD-DiMP', 'Thermal crossover')]
    assert (one.precision, one.norm_precision, one.success) == (0.647, 0.542, 0.529)


def test_table_1_and_table_2_agree():
    variants = {row.tracker: row for row in published.lsotb_tir()}
    totals = {row.tracker: row for row in published.lsotb_tir_attributes() if row.attribute is None}
    for one, other in (('DiMP (a1)', 'DiMP'), ('CMD-DiMP d3', 'CMD-DiMP')):
        assert variants[one][1:4] == totals[other][1:4]


@pytest.mark.parametrize('name', FILES)
def test_rows_are_offered_to_the_core(name):
    rows = published.read(name)
    assert rows and all(row.source and row.protocol in (*PROTOCOLS, None) for row in rows)
    assert getattr(published, name)() == rows
    offered = published_rows(name.removesuffix('_attributes'))
    assert {row.tracker for row in rows} <= {row.tracker for row in offered}


def test_a_file_with_other_columns_or_percent_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(published, '__file__', str(tmp_path / '__init__.py'))
    (tmp_path / 'a.csv').write_text('tracker,success\nx,0.5\n')
    with pytest.raises(ValueError, match='the columns are not'):
        published.read('a')
    (tmp_path / 'a.csv').write_text(','.join(published.COLUMNS) + '\nx,50.1,,,,,here\n')
    with pytest.raises(ValueError, match=r'50\.1 is not in'):
        published.read('a')


@pytest.mark.slow
def test_the_files_are_part_of_the_wheel(tmp_path):
    """Made of a copy: a build leaves folders behind."""
    for name in ('setup.py', 'pyproject.toml', 'README.md'):
        shutil.copy(REPO / name, tmp_path)
    shutil.copytree(REPO / 'cmd_plugin', tmp_path / 'cmd_plugin')
    subprocess.run([sys.executable, '-m', 'pip', 'wheel', '--no-deps', '--no-build-isolation', '-q', '.'], check=True,
                   cwd=tmp_path)
    [wheel] = tmp_path.glob('*.whl')
    assert {f'cmd_plugin/published/{name}.csv' for name in FILES} <= set(zipfile.ZipFile(wheel).namelist())
