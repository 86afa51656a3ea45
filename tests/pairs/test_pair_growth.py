"""A million pairs are cheap: names are packed, drawing does not know how many there are, boxes find theirs."""

from __future__ import annotations

import json
import random
import re
import string
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmd_plugin import cli, growth
from cmd_plugin.data import packing
from cmd_plugin.data.box_names import PairIndex, match_records
from cmd_plugin.data.box_records import BoxSet, Found, Record
from cmd_plugin.data.matching import natural
from cmd_plugin.data.packing import packed, packed_columns, unpacked
from cmd_plugin.data.paired import PairedDataset
from cmd_plugin.errors import UserError
from pytracking.benchmark.series import Series
from tests.conftest import REPO

NAMES = st.lists(st.text(string.ascii_letters + 'äπ雪 .-_0123456789', min_size=1, max_size=9))


@given(NAMES)
def test_names_come_back(names):
    block = packed(names)
    assert [unpacked(block, number) for number in range(len(block))] == names


@pytest.mark.parametrize('count', [0, 1, packing.PART, 2 * packing.PART + 3])
def test_columns_longer_than_a_part(count):
    columns = packed_columns(((str(number), f'{number}.png') for number in range(count)), 2)
    assert [len(column) for column in columns] == [count, count]
    for number in (0, count // 2, count - 1) if count else ():
        assert [unpacked(column, number) for column in columns] == [str(number), f'{number}.png']


@given(st.lists(st.from_regex(r'[ab]?[0-9]{1,3}(_[0-9]{2})?', fullmatch=True)), st.randoms())
def test_natural_order_by_its_definition(names, dice):
    """Also where all names have their digits at the same places, which is looked at first."""
    def numbers(name: str):
        return [int(part) if part.isdigit() else part for part in re.split(r'([0-9]+)', name)]
    dice.shuffle(names)
    for chosen in (names, [name for name in names if len(name) == 3 and name.isdigit()]):
        assert [numbers(name) for name in natural(chosen)] == sorted(numbers(name) for name in chosen)


def test_names_of_other_lengths_that_look_alike_side_by_side():
    assert natural(['300', '10', '2']) == ['2', '10', '300'] and natural(['b1', 'a22']) == ['a22', 'b1']


@pytest.fixture(scope='module')
def million(tmp_path_factory):
    """Lists of many lines that name a thousand files of either half."""
    folder = tmp_path_factory.mktemp('growth')
    growth.write_pairs(folder / 'twins', 1000)

    def make(count: int):
        path = folder / f'{count}.txt'
        if not path.is_file():
            growth.write_list(path, folder / 'twins', 1000, count)
        return path
    return make


def test_what_is_measured_is_there(million):
    pairs = PairedDataset(million(3000))
    assert len(pairs) == 3000 and pairs.alone == 0 and pairs.paths(1001) == pairs.paths(1)
    assert len(PairedDataset(million(3000).parent / 'twins')) == 1000


def test_a_draw_does_not_know_how_many_pairs_there_are(million):
    counts = [300, 3000, 30_000]
    lists = [million(count) for count in counts]
    found = growth.draw_series(lists[0].parent, counts)
    assert found.costs[-1] < 2 * found.costs[0], found.costs


def test_boxes_of_videos_that_count_their_frames_alike(tmp_path, monkeypatch):
    """Every frame has a namesake in each video: looking at them all would be quadratic."""
    for video in range(30):
        for half in ('rgb', 'tir'):
            (tmp_path / f'v{video}' / half).mkdir(parents=True)
            for frame in range(5):
                (tmp_path / f'v{video}' / half / f'{frame}.jpg').touch()
    pairs = PairedDataset(tmp_path)
    looked = []
    original = PairIndex._bare_path
    monkeypatch.setattr(PairIndex, '_bare_path', lambda self, *at: looked.append(at) or original(self, *at))
    names = [f'v{video}/{frame}' for video in range(30) for frame in range(5)]
    random.Random(0).shuffle(names)
    found = BoxSet(tmp_path, [Record(name, 'rgb', (Found(0, 0, 9, 9, 1, 'car'),)) for name in names])
    by_pair, strangers = match_records([found], pairs)
    assert strangers == 0 and len(by_pair) == 150 and len(looked) == 2 * 150 + 150
    for index, records in by_pair.items():
        assert [f'{pairs.paths(index)[0].parts[-3]}/{pairs.paths(index)[0].stem}'] == [one.name for one in records]
    with pytest.raises(UserError, match=r'boxes of 3 fit several pairs, e\.g\. .*v0.*3\.jpg and '):
        match_records([BoxSet(tmp_path, [Record('3', 'rgb', ())])], pairs)


def test_the_command(monkeypatch, tmp_path, capsys):
    flat = Series('index of list', 'pairs', 's', (1.0, 10.0, 100.0), (1.0, 1.0, 1.0))
    seen = []
    monkeypatch.setattr(growth, 'index_series', lambda folder, many: seen.append(many) or [flat])
    for part in ('draw_series', 'box_series', 'size_series'):
        monkeypatch.setattr(growth, part, lambda *arguments, one=part: [] if one == 'size_series' else flat)
    assert cli.main(['benchmark', '--growth', str(tmp_path), '--most', '20000']) == 0
    assert seen == [[20, 200, 2000, 20_000]] and (tmp_path / 'growth_pairs.png').is_file()
    assert 'index of list, s by pairs' in capsys.readouterr().out


def measured(path) -> dict[str, float]:
    result = subprocess.run([sys.executable, '-m', 'cmd_plugin.growth', str(path)], cwd=REPO, capture_output=True,
                            text=True, check=True)
    return json.loads(result.stdout)


@pytest.mark.slow
def test_a_million_lines_take_ten_times_as_long_as_a_tenth_and_less_than_a_gigabyte(million):
    tenth, whole = measured(million(100_000)), measured(million(1_000_000))
    assert whole['seconds'] <= 12 * tenth['seconds'] and whole['used'] <= 12 * tenth['used'], (whole, tenth)
    assert whole['peak'] < 1e9 and whole['used'] < 2e8
    # Five seconds on one core of 2024; three times that on whatever runs this beside other work.
    assert whole['all'] < 15


@pytest.mark.slow
def test_nothing_grows_worse_than_linearly(tmp_path):
    growth.run(tmp_path, 20_000)
    rows = json.loads((tmp_path / 'growth_pairs.json').read_text(encoding='utf-8'))
    exponents = {(row['name'], row['variable'], row['unit']): row['exponent'] for row in rows}
    assert len(exponents) == 10 and max(exponents.values()) < 1.4, exponents
    assert np.isfinite(list(exponents.values())).all() and abs(exponents['300 draws', 'pairs', 's']) < 0.4
