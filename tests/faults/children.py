"""Commands in processes that die: forked from a server that has everything imported, so that a run costs no second.

A process is killed from outside at some time, or kills itself at one of its own file operations: in the middle of a
write, before or after a file is put in its place, before it is flushed to the disk.
"""

from __future__ import annotations

import builtins
import io
import multiprocessing
import os
import signal
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch.utils.tensorboard  # noqa: F401 (imported here once, not in every child)
from tqdm import tqdm

import cmd_plugin.actor
import cmd_plugin.cli
import cmd_plugin.data
import cmd_plugin.families
import cmd_plugin.training
import ltr.models.tracking.dimpnet
import ltr.run_training
import pytracking.analysis.extract_results
import pytracking.analysis.plot_results
import pytracking.run_tracker
import pytracking.tracker.dimp
from ltr.admin.errors import cli

TINY = Path(__file__).resolve().parents[1] / 'training'
MAINS = {'train': ltr.run_training.main, 'track': pytracking.run_tracker.main, 'plugin': cmd_plugin.cli.main}


@dataclass(frozen=True)
class Ended:
    """How a process ended: exit status (negative: by that signal), output, seconds, file operations."""

    status: int
    output: str
    seconds: float
    operations: int


@dataclass(frozen=True)
class Running:
    """A process, where its output goes, and when it began."""

    process: Any
    said: Path
    begun: float

    def end(self) -> Ended:
        """Wait for the end."""
        self.process.join(300)
        assert self.process.exitcode is not None, f'hangs: {self.said.read_text()}'
        output = self.said.read_text(errors='replace') if self.said.exists() else ''
        counted = [int(line.split()[1]) for line in output.splitlines() if line.startswith('OPERATIONS ')]
        return Ended(self.process.exitcode, output, time.monotonic() - self.begun, counted[-1] if counted else 0)


def server() -> Any:
    """The context whose processes are forked from a process that has imported this module."""
    context = multiprocessing.get_context('forkserver')
    context.set_forkserver_preload(['tests.faults.children'])
    return context


def run(command: str, arguments: list[str], variables: dict[str, str], folder: Path, at: int | None = None,
        after: float | None = None) -> Ended:
    """Run a command in a process of its own.

    Args:
        command: a key of `MAINS`.
        arguments: of its command line.
        variables: added to its environment.
        folder: operations below it count, of output files and of folders.
        at: number of the file operation at which it kills itself; None lets it be.
        after: seconds until it is killed; None lets it be.
    """
    running = start(command, arguments, variables, folder, at)
    if after is not None:
        running.process.join(after)
        if running.process.is_alive():
            running.process.kill()
    return running.end()


def start(command: str, arguments: list[str], variables: dict[str, str], folder: Path,
          at: int | None = None) -> Running:
    """`run` without waiting for the end."""
    said = folder.parent / f'{folder.name}.said'
    process = server().Process(target=_child, args=(command, arguments, variables, folder, at, said))
    begun = time.monotonic()
    process.start()
    return Running(process, said, begun)


def _child(command: str, arguments: list[str], variables: dict[str, str], folder: Path, at: int | None,
           said: Path) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    multiprocessing.set_start_method('fork', force=True)  # of loader workers: here it would be that of the server
    tqdm.set_lock(threading.RLock())  # its own is a semaphore, which the killed leave behind
    os.environ.update(variables)
    sys.path.append(str(TINY))
    sys.stdout = sys.stderr = said.open('w', buffering=1)
    doom = _Doom(folder, at)
    try:
        cli(lambda: MAINS[command](arguments))
    finally:
        print(f'OPERATIONS {doom.count}')


class _Doom:
    """Counts the file operations below a folder, and kills the process at one of them."""

    def __init__(self, folder: Path, at: int | None) -> None:
        self.folder, self.at, self.count = str(folder), at, 0
        real = builtins.open

        def opened(file: Any, mode: str = 'r', *more: Any, **options: Any) -> Any:
            if mode != 'wb' or not self.concerns(file):  # nothing that lasts is written in another mode
                return real(file, mode, *more, **options)
            return io.BufferedWriter(_DyingFile(file, self), 512)
        builtins.open = io.open = opened  # type: ignore[assignment]
        for name in ('replace', 'unlink', 'mkdir'):
            setattr(os, name, self._around(getattr(os, name)))
        fsync = os.fsync
        os.fsync = lambda number: (self.step(), fsync(number))[1]

    def concerns(self, file: Any) -> bool:
        return isinstance(file, (str, os.PathLike)) and os.fspath(file).startswith(self.folder)

    def due(self) -> bool:
        self.count += 1
        return self.count == self.at

    def step(self) -> None:
        if self.due():
            os.kill(os.getpid(), signal.SIGKILL)

    def _around(self, function: Any) -> Any:
        def wrapped(file: Any, *more: Any, **options: Any) -> Any:
            if not self.concerns(file):
                return function(file, *more, **options)
            self.step()
            result = function(file, *more, **options)
            self.step()
            return result
        return wrapped


class _DyingFile(io.FileIO):
    """A file that may take only half of what it is given."""

    def __init__(self, path: Any, doom: _Doom) -> None:
        super().__init__(path, 'w')
        self.doom = doom

    def write(self, data: Any) -> int:  # type: ignore[override]
        if self.doom.due():
            super().write(bytes(data)[:len(data) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
        return super().write(data)
