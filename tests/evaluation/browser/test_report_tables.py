"""The tables and curves of the page in a browser: they show what the engine says, sort, filter, and tell values."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pytracking.analysis.attributes import subset
from pytracking.analysis.bootstrap import paired_bootstrap
from pytracking.analysis.summary import Analysis
from tests.evaluation.analysed import make_analysis
from tests.evaluation.browser.conftest import near

pytestmark = pytest.mark.slow
OURS = 'tbody tr:not(.published)'


@pytest.fixture(scope='module')
def analysis(tmp_path_factory) -> Analysis:
    made = make_analysis(tmp_path_factory.mktemp('results'))
    one, two, _ = made.results
    parts = [paired_bootstrap(one.result, two.result, measure, 500) for measure in made.measures]
    return replace(made, differences=[('good', 'fair', parts)])


def test_tables_show_the_engine_s_figures_and_sort(analysis, open_page):
    opened = open_page(analysis)
    page = opened.page
    for i, measure in enumerate(analysis.measures):
        expected = [item.result.figure(measure) for item in analysis.results]
        assert near(opened.column('#tracker-table', i + 2, OURS), expected)
    assert opened.column('#tracker-table', 5, OURS) == ['20.0'] * 3
    assert opened.column('#tracker-table', 2, 'tbody tr.published') == ['50.0']
    assert 'published' in opened.column('#tracker-table', 1, 'tbody tr.published')[0]
    precision = page.locator('#tracker-table thead button', has_text='Precision')
    for key, way in (('Enter', 'descending'), (' ', 'ascending')):
        precision.focus()
        page.keyboard.press(key)
        assert page.locator('#tracker-table th[aria-sort]').get_attribute('aria-sort') == way
        figures = [float(text) for text in opened.column('#tracker-table', 3)]
        assert figures == sorted(figures, reverse=way == 'descending') and len(figures) == 4
    page.locator('#tracker-table thead button', has_text='Norm. Prec.').click()
    assert opened.column('#tracker-table', 4)[-1] == '–'  # nothing known: below, in either order
    page.locator('#tracker-table thead button', has_text='Norm. Prec.').click()
    assert opened.column('#tracker-table', 4)[-1] == '–'
    assert len(opened.column('#difference-table', 1)) == 3


def test_the_filter_recomputes_the_page(analysis, open_page):
    opened = open_page(analysis)
    page = opened.page

    def shown_for(names: str) -> bool:
        expected = [subset(item.result, names).success for item in analysis.results]
        order = dict(zip([item.label for item in analysis.results], expected, strict=True))
        labels = opened.column('#tracker-table', 1)
        return near(opened.column('#tracker-table', 2), [order[label] for label in labels]) and (
            set(opened.column('#sequence-table', 1)) == set(names))

    path = page.locator('#charts path.line').first
    before = path.get_attribute('d')
    page.locator('.chip', has_text='occlusion').click()
    assert shown_for('ab') and page.locator('#summary').inner_text().startswith('2 of 4 sequences: occlusion')
    assert page.locator('#tracker-table .published').count() == 0
    assert page.locator('#notes').inner_text().startswith('over 2 of 4 sequences')
    assert path.get_attribute('d') != before
    page.locator('.chip', has_text='low resolution').click()
    assert shown_for('abc')
    page.locator('.chip', has_text='low resolution').click()
    page.locator('.chip', has_text='fast motion').press('Enter')
    assert shown_for('ab')
    page.locator('#every').check()
    assert shown_for('a')
    page.get_by_role('button', name='All sequences').click()
    assert set(opened.column('#sequence-table', 1)) == set('abcd')
    assert path.get_attribute('d') == before
    page.locator('#attribute-table button', has_text='low resolution').last.click()
    assert shown_for('c')
    assert page.locator('.chip[aria-pressed=true][data-attribute]').inner_text().startswith('low resolution')


def test_attributes_and_sequences_follow_the_measure(analysis, open_page):
    opened = open_page(analysis)
    page = opened.page
    for i, measure in enumerate(analysis.measures):
        page.locator('#attributes .segments button').nth(i).click()
        for t, item in enumerate(analysis.results):
            expected = [subset(item.result, names).figure(measure) for names in analysis.members.values()]
            assert near(opened.column('#attribute-table', t + 3), expected)
            figures = item.result.sequence_figures(measure)
            names = opened.column('#sequence-table', 1)
            assert near(opened.column('#sequence-table', t + 3), [figures[name] for name in names])
    page.locator('#search').fill('B')
    assert opened.column('#sequence-table', 1) == ['b']


def test_curves_tell_their_values(analysis, open_page):
    page = open_page(analysis).page
    thresholds = analysis.protocol.measures['success'].thresholds
    plot = page.locator('#charts svg.lines').first
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    page.mouse.move(box['x'] + 40 + 0.3 * (box['width'] - 52), box['y'] + 100)
    tip = page.locator('#charts .tip').first
    assert tip.locator('strong').inner_text() == 'overlap threshold 0.3'
    at = int(np.abs(thresholds - 0.3).argmin())
    values = {item.label: item.result.curve('success')[at] for item in analysis.results}
    names = [node.inner_text() for node in tip.locator('.tip-name').all()]
    assert sorted(names) == sorted(values)
    assert near([node.inner_text() for node in tip.locator('b').all()], [values[name] for name in names])
    page.mouse.move(2, 2)
    assert tip.is_hidden()
    page.keyboard.press('Tab')
    plot.focus()
    page.keyboard.press('Home')
    page.keyboard.press('ArrowRight')
    assert plot.get_attribute('aria-valuenow') == '0.05' and 'good' in plot.get_attribute('aria-valuetext')
    assert tip.is_visible()
    page.locator('#legend .chip', has_text='poor').click()
    assert page.locator('#charts path.line').count() == 2 * 3 and 'poor' not in plot.get_attribute('aria-valuetext')
