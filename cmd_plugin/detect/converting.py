"""Boxes from one format into another."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal

import numpy as np
from tqdm import tqdm

from cmd_plugin.data.box_choice import clip_boxes
from cmd_plugin.data.box_coco import write_coco
from cmd_plugin.data.box_files import read_boxes
from cmd_plugin.data.box_lines import write_text_boxes
from cmd_plugin.data.box_names import match_records
from cmd_plugin.data.box_records import Modality, Record
from cmd_plugin.data.detection import unjoined
from cmd_plugin.data.paired import PairedDataset
from cmd_plugin.detect.detecting import folder_name, pair_name
from cmd_plugin.errors import UserError

BoxFormat = Literal['coco', 'yolov5', 'fairmot']


def convert_boxes(dataset: PairedDataset, root: Path, source: Path, out: Path, kind: BoxFormat) -> str:
    """Read boxes of any known format, bring them onto the pairs, and write them.

    Args:
        dataset: the pairs, whose sizes are read.
        root: folder of the pairs, or their list.
        source: box file or folder.
        out: file for `coco`, folder for `yolov5` and `fairmot`; what stands there under the same name is replaced.
        kind: format to write.

    Returns:
        One line on what was done.

    Raises:
        UserError: boxes that cannot be read or name no pair, or all lie outside their images; `out` is `source`.
    """
    if out.resolve() == source.resolve():
        raise UserError(f'--out is the place that the boxes are read from: {out}')
    sets = read_boxes(source)
    by_pair, strangers = match_records(sets, dataset)
    records: list[Record] = []
    outside = 0
    for index in tqdm(sorted(by_pair), desc='convert', unit='pair', file=sys.stderr):
        height, width = dataset.read(index).shape[:2]
        sides: tuple[Modality, ...] = ('rgb', 'tir')
        for side, path in zip(sides, dataset.paths(index), strict=True):
            own = [record for record in by_pair[index] if record.modality == side]
            if own:
                record, lost = _on_pair(own, pair_name(path, root), side, (height, width))
                records.append(record)
                outside += lost
    count = sum(len(record.boxes) for record in records)
    if not count:
        raise UserError(f'all {outside} boxes in {source} are outside their images: they are of images of another size')
    if kind == 'coco':
        write_coco(out, records, {'source': f'boxes of {source.name}', 'root': folder_name(root)})
    else:
        write_text_boxes(out, records, kind)
    told = ((sum(found.flat for found in sets), 'without an area dropped'), (outside, 'outside their images dropped'),
            (strangers, 'images named that are no pair here'))
    dropped = ''.join(f', {number} {what}' for number, what in told if number)
    return f'boxes: {count} of {len(by_pair)} pairs{dropped}: {out}'


def _on_pair(records: list[Record], name: str, side: Modality, size: tuple[int, int]) -> tuple[Record, int]:
    """All boxes of one half under its own name, clipped to it, and how many lay outside."""
    for record in records:
        if record.size not in (None, size):
            raise UserError(f'boxes of {record.name} were made on an image of {record.size} px (height, width), the '
                            f'pair {name} has {size}')
    found = [(box, record.joined) for record in records for box in record.boxes]
    corners = np.array([box[:4] for box, _ in found], np.float64).reshape(-1, 4)
    boxes, kept = clip_boxes(unjoined(corners, np.array([joined for _, joined in found], bool), size[1]), size)
    clipped = tuple(found[place][0]._replace(x1=float(x1), y1=float(y1), x2=float(x2), y2=float(y2))
                    for place, (x1, y1, x2, y2) in zip(kept, boxes, strict=True))
    return Record(name, side, clipped, size), len(found) - len(kept)
