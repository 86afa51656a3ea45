"""Files that are there whole or not at all, whatever happens while they are written. Imports nothing heavy."""

from __future__ import annotations

import glob
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ltr.admin.errors import UserError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary file to write in place of `path`, which it replaces, whole, when the block ends without an error.

    The temporary file lies beside `path` and has the number of the process in its name, so two processes never write
    into one. What a killed process left of the same file is removed.

    Args:
        path: the file; its folder is made. A stream, such as a pipe or /dev/stdout, is itself what is written.

    Raises:
        UserError: the file cannot be written. Nothing is left behind, then or after any other error.
    """
    if _is_stream(path):
        with _told(path):
            yield path
        return
    temporary = path.with_name(f'.{path.name}.{os.getpid()}.tmp')
    with _told(path), _gone(temporary):
        path.parent.mkdir(parents=True, exist_ok=True)
        for left in path.parent.glob(f'.{glob.escape(path.name)}.*.tmp'):
            if left.name.removeprefix(f'.{path.name}.')[:-len('.tmp')].isdecimal():
                left.unlink(missing_ok=True)
        yield temporary
        with open(temporary, 'rb+') as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Failures of the operating system as one line."""
    try:
        yield
    except BrokenPipeError:  # a reader that has left is no failure
        raise
    except (OSError, RuntimeError) as error:
        cause = _os_error(error)
        if cause is None:
            raise
        raise UserError(f'cannot write {path}: {cause.strerror or cause}; make room or choose another '
                        'folder') from error


@contextmanager
def _gone(temporary: Path) -> Iterator[None]:
    try:
        yield
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _is_stream(path: Path) -> bool:
    """Whether a path is no file to replace; /dev/stdout may be a link to one."""
    if path.is_symlink() and path.absolute().parts[:2] == ('/', 'dev'):
        return True
    return path.exists() and not (path.is_file() or path.is_dir())


def open_folder(folder: Path, remedy: str) -> None:
    """Make a folder and see that files can be written there: better now than after an hour's work.

    Raises:
        UserError: they cannot; `remedy` says what to do.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UserError(f'cannot write into {folder}: {error.strerror or error}; {remedy}') from error


def write_whole(path: Path, content: bytes) -> None:
    """Write a file by `replacing`. Raises as it does."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def _os_error(error: BaseException) -> OSError | None:
    """The failure of the operating system behind `error`: torch's writer wraps it in a RuntimeError."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError):
            return seen
        seen = seen.__cause__ or seen.__context__
    if 'PytorchStreamWriter' in str(error):
        return OSError(str(error).splitlines()[0])
    return None
