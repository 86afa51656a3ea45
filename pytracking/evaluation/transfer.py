"""Results of a whole data set, from one form into another."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ltr.admin.errors import UserError
from ltr.admin.plugins import unknown
from ltr.admin.whole import write_whole
from ltr.data.box_text import read_table
from pytracking.evaluation.data import Sequence
from pytracking.evaluation.formats import FORMATS, ResultFormat
from pytracking.evaluation.formats.files import table_text
from pytracking.evaluation.results import is_complete

OURS = 'tab'


@dataclass(frozen=True)
class Transfer:
    """What was done: names of sequences that were written, and of those that have no result."""

    written: tuple[str, ...]
    missing: tuple[str, ...]


def get_format(name: str) -> ResultFormat:
    """A form by name. Raises UserError with near names for one that does not exist."""
    if name not in FORMATS:
        raise UserError(unknown('format', name, list(FORMATS)))
    return FORMATS[name]


def transfer(sequences: Iterable[Sequence], source: Path, target: Path, read_as: str = OURS, write_as: str = OURS,
             tracker: str | None = None, overwrite: bool = False) -> Transfer:
    """Read the results of all sequences, then write them: a mistake in one leaves nothing half done.

    Args:
        sequences: the data set; other files in `source` are not looked at.
        source, target: folders of one tracker's results; `target` is made.
        read_as, write_as: names of forms.
        tracker: its name in the names of files, where the form has it there; for reading it may be left out
            when the files are of one tracker, for writing it is by default the name of `source`.
        overwrite: replace what is in `target`.

    Raises:
        UserError: unknown form, no result at all, one that is malformed or of another length than its sequence,
            or one that is in `target` already.
    """
    reader, writer = get_format(read_as), get_format(write_as)
    if not source.is_dir():
        raise UserError(f'no folder of results {source}')
    sequences = list(sequences)
    names = [sequence.name for sequence in sequences]
    files = {name: _find(source, reader, name, tracker, names) for name in names}
    contents = {item.name: _read(path, item, reader, source) for item in sequences if (path := files[item.name])}
    if not contents:
        wanted = ' or '.join(reader.places(names[0], tracker or 'TRACKER')) if names else 'a sequence'
        raise UserError(f'no result of {len(names)} sequences in {source}: {wanted} is expected, for example')
    places = {name: target / writer.places(name, tracker or source.resolve().name)[0] for name in contents}
    taken = [str(place) for place in places.values() if place.exists()]
    if taken and not overwrite:
        raise UserError(f'{len(taken)} of these results are there already, such as {taken[0]}: give another folder, or '
                        f'--overwrite')
    for name, (boxes, seconds) in contents.items():
        _write(places[name], target, name, boxes, seconds, writer)
    return Transfer(tuple(contents), tuple(name for name in names if name not in contents))


def _find(source: Path, reader: ResultFormat, name: str, tracker: str | None, names: list[str]) -> Path | None:
    """The result file of a sequence; None where there is none."""
    if not reader.named_by_tracker or tracker:
        found = [source / place for place in reader.places(name, tracker or '')]
        return next((path for path in found if path.is_file()), None)
    prefix, suffix = reader.places(name, '\0')[0].split('\0')
    longer = tuple(other + '_' for other in names if other.startswith(prefix))
    files = sorted(path for path in source.iterdir() if path.name.startswith(prefix) and path.name.endswith(suffix)
                   and not path.name.startswith(longer))
    if len(files) > 1:
        raise UserError(f'{source} has {len(files)} results of {name}, such as {files[0].name} and {files[1].name}: '
                        f'say which by --tracker')
    return files[0] if files else None


def _read(path: Path, sequence: Sequence, reader: ResultFormat, source: Path) -> tuple[np.ndarray, np.ndarray | None]:
    """Boxes, and seconds where a file of them fits."""
    boxes = reader.read(path, sequence)
    if not is_complete(len(boxes), sequence):
        raise UserError(f'{path} has {len(boxes)} rows, but the sequence {sequence.name} has {len(sequence.frames)} '
                        f'frames')
    times = source / reader.times(sequence.name) if reader.times else None
    if times is None or not times.is_file():
        return boxes, None
    seconds = read_table(times, 1, 1)
    return boxes, seconds if len(seconds) == len(boxes) else None


def _write(path: Path, folder: Path, name: str, boxes: np.ndarray, seconds: np.ndarray | None,
           writer: ResultFormat) -> None:
    """Times first: a file of boxes that is there is finished."""
    if writer.times:
        times = folder / writer.times(name)
        if seconds is None:
            times.unlink(missing_ok=True)
        else:
            write_whole(times, table_text(seconds, '\t', '%.6f'))
    writer.write(path, boxes)
