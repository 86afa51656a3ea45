"""From one form of a checkpoint into the other, weights bit for bit."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cmd_plugin.convert import companions, differences
from cmd_plugin.errors import UserError
from ltr.admin import checkpoint, portable
from ltr.admin.model_constructor import NetConstructor

EMPTY: Mapping[str, Any] = {'epoch': 1, 'actor_type': None, 'net_type': None, 'net': None, 'net_info': None,
                            'constructor': None, 'optimizer': None, 'stats': {}, 'settings': None}
"""Keys that every `.pth.tar` has."""
SUFFIXES = ('.tar', '.pth', '.pt')


def convert(source: Path, target: Path, companion: Path | None = None, parent: Path | None = None) -> list[str]:
    """Write the network of `source` to `target`, each in the form that its name ends with.

    Args:
        source: `.pth.tar`, or `.safetensors` with its `.json`.
        target: alike.
        companion: a whole network that gives constructor and backbone to the heads in `source`.
        parent: write the difference to this network; or make the difference in `source` whole.

    Returns:
        Lines for the user.

    Raises:
        UserError: a file is missing, damaged, unsafe, or of another network; the parent is not the right one; options
            that do not fit the files.
    """
    if target.resolve() == source.resolve():
        raise UserError(f'{source} would be written over itself: give another file to write')
    if target.suffix not in (portable.SUFFIX, *SUFFIXES):
        raise UserError(f'{target}: the file to write ends in .pth.tar or {portable.SUFFIX}')
    contents = read(source)
    if companion is not None:
        contents = companions.join(contents, source, read(companion), companion)
    _check(contents, source)
    if 'difference_to' in contents:
        contents = differences.apply(contents, source, parent)
    elif parent is not None:
        if target.suffix != portable.SUFFIX:
            raise UserError(f'{target}: a difference is written as {portable.SUFFIX}')
        contents = differences.take(contents, source, parent)
    return write(contents, target)


def read(path: Path) -> dict[str, Any]:
    """Contents of a checkpoint in either form, also of a difference. Raises `UserError`."""
    if path.suffix == portable.SUFFIX:
        return portable.read(path, difference=True)
    return checkpoint.read(path)


def write(contents: dict[str, Any], path: Path) -> list[str]:
    """Write a checkpoint in the form that the name of `path` asks for; lines for the user."""
    count = f'{len(contents["net"])} tensors'
    if path.suffix != portable.SUFFIX:
        checkpoint.save(path, {**EMPTY, **contents}, verify=True)
        return [f'{path}: {count}']
    parent = contents.get('difference_to')
    left_out = portable.write(path, {key: value for key, value in contents.items() if key != 'difference_to'}, parent)
    lines = [f'{path} and {portable.description_of(path).name}: {count}'
             + (f' that differ from {parent["file"]}' if parent else '')]
    if left_out:
        lines.append(f'left out, not plain data: {", ".join(left_out)}')
    return lines


def _check(contents: dict[str, Any], path: Path) -> None:
    if not isinstance(contents.get('net'), Mapping):
        bare = ', only weights: give --companion with a file of the whole network' if _is_bare(contents) else ''
        raise UserError(f'{path} is no checkpoint of a network{bare}')
    if not isinstance(contents.get('constructor'), NetConstructor):
        raise UserError(f'{path} does not say how to build its network: give --companion with a file that does')


def _is_bare(contents: Mapping[str, Any]) -> bool:
    return bool(contents) and all(hasattr(value, 'shape') for value in contents.values())
