"""Box files as text, one file an image: FairMOT and YOLOv5, as the released boxes of the paper came.

FairMOT: lines `x1 y1 x2 y2 score label`, labels of the TIR half with a `t` in front (`car`, `tcar`); on a joined canvas
the TIR half lies to the right. YOLOv5: `rgb/.../<stem>.txt` and `t/.../<stem>.txt`, lines
`class confidence x1 y1 x2 y2`, the class by its COCO number or by name.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from cmd_plugin.data.box_records import (
    BoxSet,
    Found,
    Modality,
    Record,
    bare_name,
    modality_of,
    numbers,
    shown,
    write_whole,
)
from cmd_plugin.data.coco_names import COCO_NAMES, COCO_NUMBERS
from cmd_plugin.errors import UserError

TextFormat = Literal['fairmot', 'yolov5']


def read_text_boxes(path: Path, files: list[Path], root: Path) -> BoxSet:
    """Read the text files of one place.

    Args:
        path: what the user named.
        files: text files in order; one without a line is an image where nothing was found.
        root: what their names are relative to.

    Raises:
        UserError: unreadable file, unknown format, or a line that does not fit (file and line are named).
    """
    found = BoxSet(path)
    texts = {file: _text(file).splitlines() for file in files}
    kind = next((_kind(line, f'{file}, line {number}') for file, lines in texts.items()
                 for number, line in enumerate(lines, 1) if line.strip()), 'yolov5')
    for file, lines in texts.items():
        name = file.relative_to(root).as_posix()
        rows = [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
        if kind == 'fairmot':
            _add_fairmot(found, file, name, rows)
        else:
            boxes = tuple(_yolov5(line, f'{file}, line {number}') for number, line in rows)
            found.add(Record(name, modality_of(name), boxes), [number for number, _ in rows], file)
    return found


def write_text_boxes(folder: Path, records: Iterable[Record], kind: TextFormat) -> None:
    """Write records as text, each file whole.

    Args:
        folder: FairMOT: `<name>.txt`, TIR boxes counted on the joined canvas; YOLOv5: `rgb/<name>.txt`, `t/<name>.txt`.
        records: at most one of each name and modality; FairMOT needs the size of TIR halves.
        kind: the format.

    Raises:
        UserError: a label that the format cannot carry, or a file that cannot be written.
    """
    texts: dict[Path, list[str]] = {}
    for record in records:
        name = Path(*bare_name(record.name))
        if kind == 'fairmot':
            path = folder / name.parent / f'{name.name}.txt'
            lines = [_fairmot_line(box, record) for box in record.boxes]
        else:
            path = folder / ('rgb' if record.modality == 'rgb' else 't') / name.parent / f'{name.name}.txt'
            lines = [_yolov5_line(box, record.name) for box in record.boxes]
        texts.setdefault(path, []).extend(lines)
    for path, lines in texts.items():
        write_whole(path, ''.join(f'{line}\n' for line in lines))


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding='utf-8-sig')
    except OSError as error:
        raise UserError(f'cannot read {file}: {error.strerror}') from None
    except UnicodeDecodeError:
        raise UserError(f'{file} is not a text file: copy it again, or make the boxes anew') from None


def _kind(line: str, where: str) -> TextFormat:
    """Which format a line is in: five numbers and a label, or a class and five numbers."""
    head, tail = line.split(None, 5), line.rsplit(None, 5)
    if len(head) == 6 and all(map(_is_number, head[:5])) and not _is_number(head[5]):
        return 'fairmot'
    if len(tail) == 6 and all(map(_is_number, tail[1:])):
        return 'yolov5'
    raise UserError(f'{where}: unknown format of boxes: {line.strip()[:60]!r}; known are FairMOT text (x1 y1 x2 y2 '
                    'score label), YOLOv5 text (class confidence x1 y1 x2 y2) and COCO JSON')


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _add_fairmot(found: BoxSet, file: Path, name: str, rows: list[tuple[int, str]]) -> None:
    """Take the two halves of one FairMOT file."""
    halves: dict[Modality, list[tuple[int, Found]]] = {'rgb': [], 'tir': []}
    for number, line in rows:
        where = f'{file}, line {number}'
        cells = line.split(None, 5)
        if len(cells) != 6:
            raise UserError(f'{where}: expected x1 y1 x2 y2 score label, found {line.strip()[:60]!r}')
        x1, y1, x2, y2, score = numbers(cells[:5], where)
        modality, label = _fairmot_label(cells[5].strip(), where)
        halves[modality].append((number, Found(x1, y1, x2, y2, score, label)))
    for modality, boxes in halves.items():
        if boxes or modality == 'rgb':
            record = Record(name, modality, tuple(box for _, box in boxes), joined=modality == 'tir')
            found.add(record, [number for number, _ in boxes], file)


def _fairmot_label(label: str, where: str) -> tuple[Modality, str]:
    """Half and class of a label: `train` and `tie` are things, `tcar` is a car on the TIR half."""
    if label in COCO_NUMBERS:
        return 'rgb', label
    if label[:1] == 't' and label[1:] in COCO_NUMBERS:
        return 'tir', label[1:]
    near = difflib.get_close_matches(label, COCO_NAMES, 3)
    raise UserError(f'{where}: unknown label {label[:40]!r}{"; near: " + ", ".join(near) if near else ""}: FairMOT '
                    'text must hold COCO classes (car, person ...), on the TIR half with a t in front (tcar, tperson)')


def _fairmot_line(box: Found, record: Record) -> str:
    if box.label not in COCO_NUMBERS:
        raise UserError(f'FairMOT text cannot hold the class {box.label!r} of {record.name}: write COCO JSON or '
                        'YOLOv5 text')
    shift = 0.0
    if record.modality == 'tir':
        if record.size is None:
            raise ValueError(f'the size of {record.name} is needed for a joined canvas')
        shift = record.size[1]
    corners = (box.x1 + shift, box.y1, box.x2 + shift, box.y2, box.score)
    return f'{" ".join(map(shown, corners))} {"t" * (record.modality == "tir")}{box.label}'


def _yolov5(line: str, where: str) -> Found:
    cells = line.rsplit(None, 5)
    if len(cells) != 6:
        raise UserError(f'{where}: expected class confidence x1 y1 x2 y2, found {line.strip()[:60]!r}')
    score, x1, y1, x2, y2 = numbers(cells[1:], where)
    label = cells[0].strip()
    if label.isdecimal() and int(label) < len(COCO_NAMES):
        label = COCO_NAMES[int(label)]
    return Found(x1, y1, x2, y2, score, label)


def _yolov5_line(box: Found, name: str) -> str:
    label = str(COCO_NUMBERS.get(box.label, box.label))
    if not label.strip() or '\n' in label or (box.label not in COCO_NUMBERS and label.isdecimal() and int(label) < 80):
        raise UserError(f'YOLOv5 text cannot hold the class {box.label!r} of {name}: write COCO JSON')
    return ' '.join([label, *map(shown, (box.score, box.x1, box.y1, box.x2, box.y2))])
