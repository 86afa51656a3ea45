"""Names in the page cannot act, its colours can be read, and it is one file."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytracking.analysis.report import render_page, write_report
from pytracking.analysis.report.page import SCRIPTS, script_json
from tests.conftest import REPO
from tests.evaluation.analysed import make_analysis, make_sequences

REPORT = REPO / 'pytracking' / 'analysis' / 'report'


@pytest.fixture(scope='module')
def analysis(tmp_path_factory):
    return make_analysis(tmp_path_factory.mktemp('results'))


class Page(HTMLParser):
    """What a browser makes of the text: elements with their attributes, and what scripts hold."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag == 'script':
            self.scripts.append('')

    def handle_data(self, data):
        if self.cdata_elem == 'script':
            self.scripts[-1] += data


HOSTILE = ('<script>hacked = 1</script>', '"><img src=x onerror="hacked = 1">', '</script><script>hacked = 1</script>',
           "'; hacked = 1; //", '<!--<script>', '{{script}}', '\u2028\u2029', '&lt;b&gt;', '${hacked = 1}',
           '\\u003cscript>')
SIGNS = st.one_of(st.sampled_from('<>/!-"\'&;{}\\\u2028'), st.characters(exclude_categories=['Cs']))


def assert_inert(text: str, name: str) -> None:
    page = Page(text)
    assert [tag for tag, _ in page.elements].count('script') == 2 == len(page.scripts)
    assert not [tag for tag, _ in page.elements if tag in ('img', 'iframe', 'object', 'b')]
    assert not [key for _, attributes in page.elements for key in attributes if key.startswith('on')]
    data = json.loads(page.scripts[0])
    assert data['sequences'][0]['name'] == name.encode('utf-8', 'replace').decode()


def named(name: str) -> dict:
    return {'title': name, 'sequences': [{'name': name}]}


@pytest.mark.parametrize('name', HOSTILE)
def test_hostile_names_are_text(name):
    assert_inert(render_page(named(name)), name)


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet=SIGNS, max_size=40))
def test_no_name_becomes_markup(name):
    assert_inert(render_page(named(name)), name)
    code = script_json(name)
    assert not re.search('[<>&\u2028\u2029]', code) and json.loads(code) == name


def test_names_that_are_no_unicode_can_be_written(tmp_path):
    analysis = make_analysis(tmp_path / 'r', sequences=make_sequences(names=('a', 'b')))
    write_report(replace(analysis, dataset='bad \udcff name'), tmp_path / 'page.html')
    assert 'bad ? name' in (tmp_path / 'page.html').read_text(encoding='utf-8')


def test_scripts_take_no_text_for_markup_and_no_network():
    """What the content-security policy forbids is not even tried."""
    for name in SCRIPTS:
        source = (REPORT / 'script' / f'{name}.js').read_text()
        for word in ('innerHTML', 'outerHTML', 'insertAdjacent', 'document.write', 'eval(', 'Function(', 'fetch(',
                     'XMLHttp', 'import(', 'http:', 'https:'):
            assert word not in source.replace('http://www.w3.org/2000/svg', ''), (name, word)
    assert {path.stem for path in (REPORT / 'script').iterdir()} == set(SCRIPTS)
    assert not re.search(r'url\(|@import|http', (REPORT / 'style.css').read_text())


def test_the_page_is_one_file_and_the_same_each_time(analysis, tmp_path):
    for name in ('a', 'b'):
        write_report(analysis, tmp_path / 'new' / f'{name}.html')
    one, other = ((tmp_path / 'new' / f'{name}.html').read_bytes() for name in 'ab')
    assert one == other and b'\r' not in one
    page = Page(one.decode())
    assert not [tag for tag, attributes in page.elements if attributes.get('src')]
    assert [attributes['href'] for tag, attributes in page.elements if tag == 'link'] == ['data:,']


def luminance(colour: str) -> float:
    channels = np.array([int(colour[i:i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize('scheme', ['light', 'dark'])
def test_contrast_is_enough_to_read_and_to_tell_lines(scheme):
    """WCAG 2.1 AA: 4.5 for text, 3 for lines."""
    blocks = re.findall(r':root \{(.*?)\}', (REPORT / 'style.css').read_text(), re.DOTALL)
    colours = dict(re.findall(r'--([\w-]+): (#[0-9a-f]{6})', blocks[scheme == 'dark']))
    for ground in ('card', 'soft', 'back'):
        for text in ('text', 'muted', 'accent'):
            assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
    assert contrast(colours['on-accent'], colours['accent']) >= 4.5
    assert all(contrast(colours[f'c{i}'], colours['card']) >= 3 for i in range(8))
    assert len({colours[f'c{i}'] for i in range(8)}) == 8


def test_the_parts_of_the_page_are_package_data():
    text = (REPO / 'setup.py').read_text()
    assert re.search(r"'pytracking.analysis.report': \[[^]]*'\*\.html'[^]]*'\*\.css'[^]]*'script/\*\.js'", text)
