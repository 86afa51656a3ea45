"""What is done so far, kept line by line, so that a run that stops in whatever way goes on where it was."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from cmd_plugin.data.box_records import Found, Record
from cmd_plugin.errors import UserError


class Journal:
    """A file of finished images: a line on the run, then one line an image.

    Lines are only added. One that was cut off in the middle of writing is dropped when the file is opened again.

    Args:
        path: of the file; made on opening.
        run: what decides the boxes; a file begun under other settings is refused.

    Raises:
        UserError: other settings, or a file that is no such journal.
    """

    def __init__(self, path: Path, run: Mapping[str, Any]) -> None:
        self.path = path
        self.done: dict[str, Record] = {}
        try:
            lines = _whole_lines(path)
            if lines and json.loads(lines[0]) != run:
                raise UserError(f'{path} was begun with other settings ({_difference(json.loads(lines[0]), run)}): '
                                'give those again, remove the file, or choose another --out')
            for line in lines[1:]:
                record = _record(line)
                self.done[record.name] = record
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open('a', encoding='utf-8', newline='\n')
            if not lines:
                self._write(dict(run))
        except OSError as error:
            raise UserError(f'cannot write {path}: {error.strerror}; make room or choose another --out') from error
        except (ValueError, TypeError):
            raise UserError(f'{path} is damaged or no journal of detections: remove it') from None

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._file.close()

    def add(self, record: Record) -> None:
        """Keep one finished image.

        Raises:
            UserError: the disk is full.
        """
        try:
            self._write([record.name, record.size, record.boxes])
        except OSError as error:
            raise UserError(f'cannot write {self.path}: {error.strerror}; make room and run again') from error
        self.done[record.name] = record

    def _write(self, contents: Any) -> None:
        self._file.write(json.dumps(contents) + '\n')
        self._file.flush()


def _whole_lines(path: Path) -> list[str]:
    """Lines of a file up to its last line end; what follows is cut off."""
    if not path.is_file():
        return []
    data = path.read_bytes()
    whole = data.rfind(b'\n') + 1
    if whole < len(data):
        with path.open('r+b') as file:
            file.truncate(whole)
    return data[:whole].decode('utf-8').splitlines()


def _record(line: str) -> Record:
    name, (height, width), boxes = json.loads(line)
    return Record(str(name), 'rgb', tuple(Found(*box) for box in boxes), (int(height), int(width)))


def _difference(earlier: Any, run: Mapping[str, Any]) -> str:
    """The settings in which two runs differ."""
    if not isinstance(earlier, dict):
        return 'unknown'
    return ', '.join(f'{name} {earlier.get(name)!r}, now {run.get(name)!r}' for name in (earlier.keys() | run.keys())
                     if earlier.get(name) != run.get(name))
