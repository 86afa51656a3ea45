"""Box files as COCO JSON: the format that `python -m cmd_plugin detect` writes.

An image entry stands for one half of a pair and says which (`modality`); without that the folder in `file_name` tells.
`info.source` names the detector, `info.root` the folder that the names are relative to. An image without an annotation
is one where nothing was found.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cmd_plugin.data.box_records import DIGITS, BoxSet, Found, Modality, Record, modality_of, numbers, write_whole
from cmd_plugin.data.coco_names import COCO_NUMBERS
from cmd_plugin.errors import UserError

IDS = ('id', 'image_id', 'category_id')


def read_coco(path: Path) -> BoxSet:
    """Read a COCO file.

    Boxes without `score` (annotations by hand) count as certain; crowds are left out.

    Raises:
        UserError: unreadable, not JSON, not COCO, or an annotation that does not fit (it is named).
    """
    contents = read_json(path)
    images = {image['id']: image for image in _entries(contents, 'images', ('id', 'file_name'), path)}
    names = {entry['id']: str(entry['name'])
             for entry in _entries({'categories': [], **contents}, 'categories', ('id', 'name'), path)}
    boxes: dict[Any, list[tuple[Any, Found]]] = {number: [] for number in images}
    for place, entry in enumerate(_entries(contents, 'annotations', ('image_id', 'bbox'), path)):
        number = entry.get('id', place)
        where = f'{path}, annotation {number}'
        if entry['image_id'] not in images:
            raise UserError(f'{where}: there is no image {entry["image_id"]!r}: correct its image_id')
        if not isinstance(entry['bbox'], list) or len(entry['bbox']) != 4:
            raise UserError(f'{where}: bbox must be [x, y, width, height], not {str(entry["bbox"])[:60]}')
        if not entry.get('iscrowd'):
            x, y, w, h, score = numbers([*entry['bbox'], entry.get('score', 1.0)], where)
            category = entry.get('category_id')
            boxes[entry['image_id']].append((number, Found(x, y, round(x + w, DIGITS), round(y + h, DIGITS), score,
                                                           names.get(category, str(category)))))
    info = contents.get('info')
    found = BoxSet(path, root=str(info.get('root', '')) if isinstance(info, dict) else '')
    for number, image in images.items():
        told: Modality = 'tir' if image.get('modality') == 'tir' else 'rgb'
        record = Record(_name(image), told if 'modality' in image else modality_of(_name(image)),
                        tuple(box for _, box in boxes[number]), _size(image, path))
        found.add(record, [place for place, _ in boxes[number]], path, 'annotation')
    return found


def coco_info(path: Path) -> dict[str, Any]:
    """The `info` of a COCO file; raises `UserError` where it is none."""
    info = read_json(path).get('info')
    return info if isinstance(info, dict) else {}


def write_coco(path: Path, records: Sequence[Record], info: Mapping[str, Any]) -> None:
    """Write records, one entry a line; the same records give the same bytes.

    Args:
        path: file, written whole or not at all.
        records: of known size.
        info: goes into the file as it is (`source`, `root` ...).

    Raises:
        UserError: the file cannot be written.
    """
    labels = {box.label for record in records for box in record.boxes}
    others = sorted(labels - set(COCO_NUMBERS))
    ids = {**{label: COCO_NUMBERS[label] + 1 for label in sorted(labels - set(others), key=COCO_NUMBERS.__getitem__)},
           **{label: len(COCO_NUMBERS) + 1 + place for place, label in enumerate(others)}}
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, record in enumerate(records, 1):
        height, width = record.size or (0, 0)
        images.append({'id': number, 'file_name': record.name, 'width': width, 'height': height,
                       'modality': record.modality})
        for box in record.boxes:
            x, y, w, h = (round(value, DIGITS) for value in (box.x1, box.y1, box.x2 - box.x1, box.y2 - box.y1))
            annotations.append({'id': len(annotations) + 1, 'image_id': number, 'category_id': ids[box.label],
                                'bbox': [x, y, w, h], 'area': round(w * h, DIGITS), 'iscrowd': 0,
                                'score': round(box.score, DIGITS)})
    categories = [{'id': number, 'name': label} for label, number in ids.items()]
    parts = [f'"{name}": [\n{rows}\n]' for name, rows in (
        ('categories', _lines(categories)), ('images', _lines(images)), ('annotations', _lines(annotations)))]
    text = ',\n'.join([f'"info": {json.dumps(dict(info))}', *parts])
    write_whole(path, f'{{{text}}}\n', durable=True)


def _lines(entries: Sequence[Mapping[str, Any]]) -> str:
    return ',\n'.join(json.dumps(entry) for entry in entries)


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object; raises `UserError` where the file holds none."""
    try:
        text = path.read_text(encoding='utf-8-sig')
    except OSError as error:
        raise UserError(f'cannot read {path}: {error.strerror}') from None
    except UnicodeDecodeError:
        raise UserError(f'{path} is not a text file: copy it again, or make the boxes anew') from None
    if not text.strip():
        raise UserError(f'{path} is an empty file: it holds no box')
    try:
        contents = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError(f'{path} is not JSON ({error}): copy it again, or make the boxes anew') from None
    if not isinstance(contents, dict):
        raise UserError(f'{path} is not COCO JSON: expected an object with images, annotations and categories')
    return contents


def _entries(contents: Mapping[str, Any], name: str, keys: Sequence[str], path: Path) -> list[dict[str, Any]]:
    """A list of objects that hold `keys`."""
    entries = contents.get(name)
    if not isinstance(entries, list):
        raise UserError(f'{path} is not COCO JSON: it has no list of {name}; expected images, annotations and '
                        'categories')
    for place, entry in enumerate(entries):
        if not isinstance(entry, dict) or any(key not in entry for key in keys):
            raise UserError(f'{path} is not COCO JSON: entry {place} of {name} lacks {" or ".join(keys)}')
        for key in IDS:
            if not isinstance(entry.get(key, 0), (int, float, str)):
                raise UserError(f'{path}: {key} of entry {place} of {name} must be a number or a text, not '
                                f'{str(entry[key])[:40]!r}')
    return entries


def _name(image: Mapping[str, Any]) -> str:
    """File name with `/`, also of a file written on Windows."""
    return str(image['file_name']).replace('\\', '/')


def _size(image: Mapping[str, Any], path: Path) -> tuple[int, int] | None:
    """`(height, width)`, where the entry holds them."""
    if not image.get('width') or not image.get('height'):
        return None
    height, width = numbers((image['height'], image['width']), f'{path}, image {image["id"]}')
    return int(height), int(width)
