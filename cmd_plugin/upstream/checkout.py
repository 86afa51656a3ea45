"""A checkout of the stock toolkit: whether it is one, and what is known of it from outside."""

from __future__ import annotations

import difflib
import subprocess
from pathlib import Path

from cmd_plugin.errors import UserError
from cmd_plugin.upstream.activation import ROOT

SCRIPTS = {'train': Path('ltr', 'run_training.py'), 'track': Path('pytracking', 'run_tracker.py')}
PARTS = (*SCRIPTS.values(), Path('ltr', 'train_settings'), Path('ltr', 'admin'), Path('pytracking', 'parameter'),
         Path('pytracking', 'tracker'), Path('pytracking', 'evaluation'))
OWN_DOOR = Path('ltr', 'admin', 'plugins.py')


def checked(folder: str | Path) -> Path:
    """The absolute path, without links, of a checkout.

    Raises:
        UserError: no directory, not the toolkit, or one that finds plugins by itself.
    """
    path = Path(folder).expanduser()
    if not path.is_dir():
        raise UserError(f'{path} is {"not a directory" if path.exists() else "not there"}: give the folder of the '
                        'toolkit that holds ltr/ and pytracking/')
    missing = [part.as_posix() for part in PARTS if not (path / part).exists()]
    if missing:
        raise UserError(f'{path} is not a checkout of the toolkit: it has no {", ".join(missing)}')
    path = path.resolve()
    if path == ROOT or (path / OWN_DOOR).is_file():
        raise UserError(f'{path} finds plugins by itself: use it without --upstream and without attach')
    return path


def writes_bytecode_unseen(checkout: Path) -> bool:
    """Whether git would not see Python's bytecode in the checkout: it ignores it, or there is no git."""
    try:
        result = subprocess.run(['git', '-C', str(checkout), 'check-ignore', '-q', 'ltr/__pycache__/x.pyc'],
                                capture_output=True, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return True
    return result.returncode != 1


def revision(checkout: Path) -> str:
    """Commit and number of changed files, as far as git tells."""
    try:
        commit, changed = (subprocess.run(['git', '-C', str(checkout), *arguments], capture_output=True, text=True,
                                          timeout=30, check=True).stdout
                           for arguments in (['rev-parse', '--short', 'HEAD'], ['status', '--porcelain']))
    except (OSError, subprocess.SubprocessError):
        return 'no git'
    count = len(changed.splitlines())
    return f'commit {commit.strip()}, {"no file changed" if not count else f"{count} files changed or added"}'


def known_name(kind: str, name: str, folder: Path) -> None:
    """Raise `UserError`, with the nearest name and the list, unless `folder` has a module `name`."""
    known = sorted(path.stem for path in folder.glob('[!_]*.py'))
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f'did you mean {near[0]!r}? ' if near else ''
        raise UserError(f'unknown {kind} {name!r}: {hint}known: {", ".join(known)}')
