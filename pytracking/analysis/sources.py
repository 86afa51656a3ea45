"""What an analysis is made from: trackers by name, or folders of results."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from ltr.admin.errors import UserError
from ltr.admin.plugins import unknown
from ltr.data.files import natural_key
from pytracking.analysis.extract_results import ResultsFolder
from pytracking.evaluation.data import Sequence as Video
from pytracking.evaluation.results import result_file
from pytracking.evaluation.tracker import Tracker


def tracker_of(name: str, results: str | Path | None = None) -> Tracker:
    """The tracker `TRACKER/PARAM` or `TRACKER/PARAM:RUNID`; its code need not be there.

    Raises:
        UserError: another form.
    """
    rest, colon, run = name.partition(':')
    tracker, slash, parameters = rest.partition('/')
    if not (tracker and slash and parameters) or '/' in parameters or (colon and not run.isdecimal()):
        raise UserError(f'{name!r} is not of the form TRACKER/PARAM or TRACKER/PARAM:RUNID')
    return Tracker(tracker, parameters, int(run) if colon else None, results_path=results)


def named_trackers(names: Sequence[str]) -> list[Tracker]:
    """Trackers from `TRACKER/PARAM` or `TRACKER/PARAM:RUNID`; their results must be there, their code need not.

    Raises:
        UserError: another form, or no folder of results.
    """
    trackers = [tracker_of(name) for name in names]
    for tracker in trackers:
        if not tracker.results_dir.is_dir():
            raise UserError(f'no results of {tracker.label}: {tracker.results_dir} does not exist; run the tracker '
                            'first, or set PYTRACKING_RESULTS_PATH')
    return trackers


def result_folders(root: Path, sequences: Sequence[Video], names: Sequence[str] = ()) -> list[ResultsFolder]:
    """The folders below `root` that hold a result of one of the sequences; by the name
    of the folder, relative to `root`. Where `root` itself holds results it is the only one.

    Args:
        root: a folder per tracker, at any depth (`TRACKER/PARAM` as well).
        sequences: the data set.
        names: only these folders; by default all. Folders without a result are counted on stderr.

    Raises:
        UserError: no such folder, or no result in it.
    """
    if not root.is_dir():
        raise UserError(f'the folder of results does not exist: {root}')
    if _holds(root, sequences):
        only = root.resolve().name
        return [ResultsFolder(_checked(name, [only], root), root) for name in names or [only]]
    folders = sorted((path for path in root.rglob('*') if path.is_dir()
                      and not any(part.startswith('.') for part in path.relative_to(root).parts)),
                     key=lambda path: natural_key(path.relative_to(root).as_posix()))
    filled = {path.relative_to(root).as_posix(): path for path in folders if _holds(path, sequences)}
    if not filled:
        example = result_file(root / 'TRACKER', sequences[0].name) if sequences else root
        raise UserError(f'no result of these sequences below {root}: expected files like {example}')
    without = [path for path in folders if not any(path == other or path in other.parents for other in filled.values())]
    if without and not names:
        print(f'passed over, without a result of these sequences: {len(without)} of {len(folders)} folders',
              file=sys.stderr)
    return [ResultsFolder(name, filled[_checked(name, list(filled), root)]) for name in names or filled]


def _holds(folder: Path, sequences: Sequence[Video]) -> bool:
    return any(result_file(folder, sequence.name).is_file() for sequence in sequences)


def _checked(name: str, known: list[str], root: Path) -> str:
    if name not in known:
        raise UserError(unknown(f'folder of results in {root}', name, known))
    return name


def check_labels(labels: Sequence[str]) -> None:
    """Every tracker has a name of its own.

    Raises:
        UserError: a name occurs twice.
    """
    for label, times in Counter(labels).items():
        if times > 1:
            raise UserError(f'{label} is named {times} times: name each tracker once')
