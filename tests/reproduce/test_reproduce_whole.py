"""The whole command on generated data: straight, and killed once in every piece; both must end alike."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from cmd_plugin import cli
from cmd_plugin.errors import UserError
from cmd_plugin.reproduce.pieces import ON_TIME, OUT_OF_TIME


def command(data, folder: Path, *more: str) -> int:
    return cli.main(['reproduce', '--data', str(data.root), '--size', 'test', '--workspace', str(folder), '--workers',
                     '0', '--device', 'cpu', *more])


def figures(root: Path) -> dict[str, Any]:
    """What came out, without the times at which it did."""
    results = json.loads((root / 'results.json').read_text())
    return {**results, 'time': '', 'looked_at': '', 'choice': {**results['choice'], 'time': ''}}


@pytest.fixture(scope='module')
def straight(data, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp('straight')
    assert command(data, folder) == ON_TIME
    return folder / 'test'


@pytest.mark.slow
def test_the_whole_way(data, straight, tmp_path, capfd):
    results = json.loads((straight / 'results.json').read_text())
    assert results['choice']['time'] <= results['looked_at']
    assert [row['row'] for row in results['rows']] == [results['choice']['chosen'][0]['row']]
    assert set(results['rows'][0]['by_group']) == {'UAVs', 'animals', 'people', 'vehicles'}
    assert set(results['rows'][0]['by_video']) == {'camel_1', 'horse', 'uav_1'}
    for name in ('report.md', 'MODEL_CARD.md', 'parent_curve.png', 'child_less_control.png', 'rows.png', 'frames.png',
                 'parent.safetensors', 'child.safetensors', 'child.json'):
        assert (straight / 'report' / name).stat().st_size > 100, name
    [row] = results['rows']
    assert (f'| {row["row"]} | {row["effect"]["success"]["mean"]:+.2f} [' in
            (straight / 'report' / 'report.md').read_text())
    before = {path: path.stat().st_mtime_ns for path in straight.rglob('*') if path.is_file()}
    assert command(data, straight.parent) == ON_TIME
    assert {path: path.stat().st_mtime_ns for path in straight.rglob('*') if path.is_file()} == before
    assert 'child less control' in capfd.readouterr().out
    parent, child = straight / 'report' / 'parent.safetensors', straight / 'report' / 'child.safetensors'
    assert child.stat().st_size < parent.stat().st_size, 'the child is a difference'
    assert cli.main(['convert', str(child), str(tmp_path / 'whole.pth.tar'), '--difference-to', str(parent)]) == 0


@pytest.mark.slow
def test_killed_once_in_every_piece_it_ends_with_the_same_figures(data, straight, tmp_path, monkeypatch):
    move, armed = os.replace, []

    def dies(*args: Any, **kwargs: Any) -> None:
        if armed:
            armed.clear()
            raise KeyboardInterrupt
        move(*args, **kwargs)

    monkeypatch.setattr(os, 'replace', dies)
    status, deaths = OUT_OF_TIME, 0
    while status == OUT_OF_TIME:
        armed.append(True)
        try:
            command(data, tmp_path)
        except KeyboardInterrupt:
            deaths += 1
        armed.clear()
        status = command(data, tmp_path, '--minutes', '0.0001')
    assert deaths > 20
    assert figures(tmp_path / 'test') == figures(straight)


@pytest.mark.slow
def test_other_rows_on_a_parent_that_is_there(data, straight, tmp_path):
    taken = ('--parent', str(straight.parent), '--rows', 'tcl_thermal', 'b1', 'b1', '--tested', '3')
    assert command(data, tmp_path, *taken) == ON_TIME
    results, before = (json.loads((root / 'results.json').read_text()) for root in (tmp_path / 'test', straight))
    assert {row['row'] for row in results['rows']} == {'tcl_thermal', 'b1'}
    assert results['parent'] == before['parent'] and not (tmp_path / 'test' / 'checkpoints').exists()
    assert (tmp_path / 'test' / 'parent.pth.tar').read_bytes() == (straight / 'parent.pth.tar').read_bytes()
    assert command(data, tmp_path, *taken) == ON_TIME
    with pytest.raises(UserError, match=r'was begun with numbers .*tcl_thermal'):
        command(data, tmp_path)


@pytest.mark.slow
def test_stages_by_themselves_and_another_number_of_seeds(data, straight, tmp_path):
    assert command(data, straight.parent, '--stages', 'statistics', 'report') == ON_TIME
    with pytest.raises(UserError, match='was begun with seeds 2, now 3'):
        command(data, straight.parent, '--seeds', '3')
    with pytest.raises(UserError, match='run the stage'):
        command(data, tmp_path, '--stages', 'evaluation')
