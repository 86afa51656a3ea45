"""Read boxes from a file or folder of any known format."""

from __future__ import annotations

import os
from pathlib import Path

from cmd_plugin.data.box_coco import read_coco
from cmd_plugin.data.box_lines import read_text_boxes
from cmd_plugin.data.box_records import BoxSet
from cmd_plugin.errors import UserError


def read_boxes(path: Path) -> list[BoxSet]:
    """Read boxes.

    Args:
        path: a COCO JSON file; a folder of them; a folder of FairMOT or YOLOv5 text, sub-folders included.

    Returns:
        One set a JSON file, or one of all text files. Boxes without an area are left out and counted.

    Raises:
        UserError: nothing there, an unknown format, a line or entry that does not fit, no box at all, or more boxes
            without an area than with one.
    """
    path = Path(path).expanduser()
    if path.is_file():
        json_files, text_files = ([path], []) if path.suffix.lower() == '.json' else ([], [path])
        if path.suffix.lower() not in ('.json', '.txt'):
            raise UserError(f'{path}: unknown format of boxes; known are COCO JSON (.json) and text (.txt, a folder)')
    elif path.is_dir():
        json_files, text_files = _list(path)
    else:
        raise UserError(f'no such file or folder of boxes: {path}')
    if json_files and text_files:
        raise UserError(f'{path} holds boxes in two formats, e.g. {json_files[0].name} and {text_files[0].name}: '
                        'name the file, or keep them in separate folders')
    sets = [read_coco(file) for file in json_files]
    if text_files:
        sets.append(read_text_boxes(path, text_files, path if path.is_dir() else path.parent))
    _check(path, sets)
    return sets


def _check(path: Path, sets: list[BoxSet]) -> None:
    """Refuse what holds no box, or mostly boxes that cannot be meant."""
    count, flat = sum(s.count for s in sets), sum(s.flat for s in sets)
    example = next((s.example for s in sets if s.example), '')
    if flat > count:
        raise UserError(f'{flat} of {count + flat} boxes in {path} have no area, e.g. {example} (x1, y1, x2, y2): '
                        'the file seems to be in another format')
    if not count:
        raise UserError(f'{path} holds no box: a run of `python -m cmd_plugin detect` writes some')


def _list(folder: Path) -> tuple[list[Path], list[Path]]:
    """JSON and text files beneath a folder, hidden ones left out, in an order that depends on names only."""
    json_files: list[Path] = []
    text_files: list[Path] = []
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith('.'))
        for name in sorted(files):
            suffix = os.path.splitext(name)[1].lower()
            if not name.startswith('.') and suffix in ('.json', '.txt'):
                (json_files if suffix == '.json' else text_files).append(Path(parent, name))
    return json_files, text_files
