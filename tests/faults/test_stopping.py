"""Ctrl-C and SIGTERM: every command ends within one step, says what is saved, and exits with 130 and 143."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ltr.admin import checkpoint
from tests.evaluation.conftest import box_path, write_sequence

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name == 'nt', reason='sends signals')]
if os.name != 'nt':
    from tests.faults import children

SIGNALS = [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
PATIENCE = 20.0
"""Seconds that the end may take: a step takes far less, but cores are shared."""


def stopped(command: str, arguments: list[str], variables: dict[str, str], folder: Path, by: int,
            when: Callable[[], bool]) -> children.Ended:
    """Send a signal when `when` holds; the time is that from the signal to the end."""
    running = children.start(command, arguments, variables, folder)
    deadline = time.monotonic() + 120
    while not when():
        assert running.process.is_alive() and time.monotonic() < deadline, running.said.read_text()
        time.sleep(0.05)
    sent = time.monotonic()
    os.kill(running.process.pid, by)
    ended = running.end()
    taken = time.monotonic() - sent
    print(f'\n{" ".join(arguments[:2])}: ended {taken:.2f} s after {signal.Signals(by).name}')
    assert 'Traceback' not in ended.output and taken < PATIENCE, ended.output
    assert not list(folder.rglob('*.tmp'))
    return ended


@pytest.mark.parametrize(('by', 'status'), SIGNALS)
def test_training(tmp_path, by, status):
    folder = tmp_path / 'checkpoints' / 'ltr' / 'tiny' / 'plain'
    ended = stopped('train', ['tiny', 'plain', '--epochs', '100000', '--workspace', str(tmp_path)],
                    {'PYTRACKING_PLUGINS': 'tiny=tiny_training'}, tmp_path, by, lambda: len(list(folder.glob('*'))) > 2)
    last = checkpoint.newest(folder)
    number = checkpoint.read(last)['epoch']
    assert ended.status == status and ended.output.rstrip().splitlines()[-2] == 'stopped'
    assert re.search(rf'stopped in epoch \d+; the same command goes on after epoch {number} \(saved: {last}\)',
                     ended.output)


@pytest.mark.parametrize(('by', 'status'), SIGNALS)
@pytest.mark.parametrize('threads', ['0', '2'])
def test_tracking(tmp_path, by, status, threads):
    for number in range(3):
        write_sequence(tmp_path / 'data' / f's{number}', box_path(400 if number else 3))
    place = tmp_path / 'r' / 'dummy' / 'slow'
    ended = stopped('track', ['dummy', 'slow', '--data', str(tmp_path / 'data'), '--results', str(tmp_path / 'r'),
                              '--threads', threads],
                    {'PYTRACKING_PLUGINS': 'tests=tests.evaluation.dummy_plugin',
                     'PYTRACKING_WORKSPACE_DIR': str(tmp_path)}, tmp_path / 'r', by,
                    lambda: (threads == '2' and place.is_dir()) or (place / 's0.txt').exists())
    finished = (place / 's0.txt').exists()
    assert ended.status == status and ended.output.rstrip().splitlines()[-2] == 'stopped'
    assert f'stopped: {int(finished)} of 3 sequences are finished and saved, the same command' in ended.output


@pytest.mark.parametrize(('by', 'status'), SIGNALS)
@pytest.mark.parametrize('command', ['demo', 'table1'])
def test_commands_of_many_stages(tmp_path, by, status, command):
    """Within the stage that makes the world, or trains the parent."""
    arguments = {'demo': ['demo', '--size', 'test', '--out', str(tmp_path / 'out')],
                 'table1': ['table1', '--world', '--size', 'test', '--workspace', str(tmp_path / 'out')]}[command]
    ended = stopped('plugin', arguments, {'PYTRACKING_WORKSPACE_DIR': str(tmp_path / 'w')}, tmp_path / 'out', by,
                    lambda: any(path.is_file() for path in (tmp_path / 'out').rglob('*')))
    assert ended.status == status and 'stopped' in ended.output.rstrip().splitlines()[-2:]
