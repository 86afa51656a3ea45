"""Tables in all their forms, published rows and plots: what they hold is what the engine says."""

from __future__ import annotations

import csv
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ltr.admin.errors import UserError
from pytracking.analysis import export
from pytracking.analysis.attributes import subset
from pytracking.analysis.charts import save_charts, save_radar
from pytracking.analysis.published import Published, published_rows
from pytracking.analysis.summary import CSV_HEADER, attribute_table, csv_rows, main_table, published_attribute_table
from tests.evaluation.analysed import make_analysis, make_sequences


@pytest.fixture(scope='module')
def analysis(tmp_path_factory):
    return make_analysis(tmp_path_factory.mktemp('results'))


# --- tables ---

def test_the_main_table_holds_the_engine_s_figures_and_marks_the_best(analysis):
    table = main_table(analysis)
    for row, item in zip(table.rows, analysis.results, strict=False):
        result = item.result
        assert row == (item.label, 100 * result.success, 100 * result.precision, 100 * result.norm_precision,
                       pytest.approx(20))
    assert table.rows[-1] == ('Others (published)', 50.0, 62.5, None, None)
    assert 'published: a paper, Table 1; protocol not given' in table.notes
    assert [table.is_best(row, 1) for row in range(4)] == [True, False, False, False]


def test_a_published_tracker_is_never_the_best_of_ours(analysis):
    table = main_table(analysis)
    ahead = export.Table(table.title, table.header, (*table.rows[:3], ('x', 99.0, 99.0, 99.0, None)), (),
                         3, False, (1,))
    assert ahead.is_best(0, 1) and not ahead.is_best(3, 1)


def test_markdown_and_latex_hold_the_same_numbers(analysis):
    tables = [main_table(analysis), attribute_table(analysis, 'success')]
    shown = [export.show(cell) for table in tables for row in table.rows for cell in row[1:]]
    for form in (export.markdown(tables), export.latex(tables)):
        lines = [line for line in form.splitlines() if re.match(r'\| |[^&]+ & ', line)]
        cells = [cell.strip(' *|\\') for line in lines for cell in re.split(r' \| | & ', line)[1:]]
        bare = [re.sub(r'textbf\{(.*)\}', r'\1', cell).strip('} ') for cell in cells]
        header = sum(len(table.header) - 1 for table in tables)
        numbers = [cell for cell in bare if re.fullmatch(r'-|\d+(\.\d)?', cell)]
        assert numbers == shown and len(bare) == len(shown) + header
    assert '**' + export.show(100 * analysis.results[0].result.success) + '**' in export.markdown(tables)
    assert r'\textbf{' + export.show(100 * analysis.results[0].result.success) + '}' in export.latex(tables)


def test_attributes_mark_the_best_of_each_row(analysis):
    table = attribute_table(analysis, 'success')
    assert table.header == ('Attribute', 'sequences', 'good', 'fair', 'poor')
    assert all(table.is_best(row, 2) and not table.is_best(row, 4) for row in range(3))


def test_csv_holds_everything(analysis, tmp_path):
    export.write_csv(tmp_path / 'new' / 'a.csv', csv_rows(analysis), CSV_HEADER)
    rows = list(csv.DictReader((tmp_path / 'new' / 'a.csv').open()))
    by_key = {(row['kind'], row['name'], row['tracker']): row for row in rows}
    assert len(by_key) == len(rows) == 3 + 1 + 3 * 3 + 3 * 4
    for item in analysis.results:
        assert float(by_key['all', '', item.label]['success']) == pytest.approx(item.result.success, abs=1e-6)
        part = subset(item.result, analysis.members['occlusion'])
        row = by_key['attribute', 'occlusion', item.label]
        assert float(row['norm_precision']) == pytest.approx(part.norm_precision, abs=1e-6) and row['sequences'] == '2'
        figures = item.result.sequence_figures('precision')
        assert all(float(by_key['sequence', name, item.label]['precision']) == pytest.approx(figures[name], abs=1e-6)
                   for name in 'abcd')
    other = by_key['all', '', 'Others']
    assert other['source'] == 'published: a paper, Table 1' and other['norm_precision'] == ''


@given(st.text(max_size=20))
def test_no_name_breaks_a_table(name):
    table = export.Table(name, ('Tracker', name), ((name, 1.0),))
    assert len([line for line in export.markdown([table]).splitlines() if line.startswith('|')]) == 3
    assert not re.search(r'(?<!\\)<', export.markdown([table]))
    inside = export.escape_latex(name).replace(r'\textbackslash{}', '').replace(r'\textasciitilde{}', '')
    inside = re.sub(r'\\text(asciicircum|less|greater)\{\}', '', inside)
    assert not re.search(r'(?<!\\)[&%$#_{}~^]', inside)


# --- published ---

PROVIDED = [Published('B', 0.4, 0.5, None, 's1', None, 'lsotb'), Published('A', 0.6, 0.7, 0.65, 's1', None, 'lsotb'),
            Published('A', 0.6, 0.7, 0.65, 's2', None, None),
            Published('A', 0.3, 0.4, 0.35, 's1', 'Occlusion', 'lsotb')]
entry_points = {'pytracking.published': {'test': f'{__name__}:provide'}}


def provide():
    return PROVIDED


def test_published_rows_come_through_the_door(monkeypatch, analysis):
    assert published_rows('test') == []
    monkeypatch.setenv('PYTRACKING_PLUGINS', f'mine={__name__}')
    rows = published_rows('test')
    assert [(row.tracker, row.attribute, row.source) for row in rows] == [
        ('A', None, 's1'), ('B', None, 's1'), ('A', 'Occlusion', 's1')]
    monkeypatch.setitem(vars(analysis), 'published', rows)
    assert [row[0] for row in main_table(analysis).rows[3:]] == ['A (published)', 'B (published)']
    table = published_attribute_table(analysis, 'success')
    assert table.rows == (('fast motion', None), ('low resolution', None), ('occlusion', 30.0))
    assert 'as published' in table.title and table.notes == ('published: s1; protocol lsotb',)


# --- plots ---

def test_plots_are_pictures(analysis, tmp_path):
    written = save_charts(analysis, tmp_path / 'plots')
    assert [path.name for path in written] == ['success.png', 'precision.png', 'norm_precision.png', 'sequences.png',
                                               'attributes.png']
    assert all(path.read_bytes().startswith(b'\x89PNG') for path in written)


def test_bars_and_radar_show_the_figures(analysis, tmp_path, monkeypatch):
    from matplotlib.figure import Figure
    seen = []
    monkeypatch.setattr(Figure, 'savefig', lambda self, path, **_k: (seen.append(self), path.touch()))
    save_charts(analysis, tmp_path)
    bars, radar = seen[-2].axes[0], seen[-1].axes[0]
    names = [label.get_text() for label in bars.get_yticklabels()]
    drawn = [bar.get_width() for bar in bars.containers[0]]
    figures = analysis.results[0].result.sequence_figures('success')
    assert drawn == [figures[name] for name in names]
    best = [max(row[2:]) for row in attribute_table(analysis, 'success').rows]
    lines = [line.get_ydata()[:3] * best for line in radar.lines]
    expected = np.array([row[2:] for row in attribute_table(analysis, 'success').rows])
    assert np.allclose(np.array(lines).T, expected)


def test_a_radar_needs_three_attributes(tmp_path):
    analysis = make_analysis(tmp_path, sequences=make_sequences(names=('a', 'd')))
    with pytest.raises(UserError, match='needs three attributes, the data set has 2'):
        save_radar(analysis, tmp_path / 'x.png')
    assert len(save_charts(analysis, tmp_path / 'plots')) == 4
