"""How the cost of distillation grows with pairs, images and proposals: `python -m cmd_plugin benchmark --growth`.

Pairs are empty files, as many as a tenth of the longest list names: nothing here but `reading` opens an image. An index
is made in a process of its own (`python -m cmd_plugin.growth PATH`), as a training makes it, so that what is counted is
its own time and memory.
"""

from __future__ import annotations

import copy
import gc
import json
import math
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np
import torch

from cmd_plugin import networks
from cmd_plugin.actor import CrossModalActor
from cmd_plugin.benchmark import one_step, peak_memory, random_batch
from cmd_plugin.data import CenterArea, PairedDataset, PairedSampler
from cmd_plugin.data.box_names import match_records
from cmd_plugin.data.box_records import BoxSet, Found, Record
from cmd_plugin.errors import UserError
from cmd_plugin.master import MasterAdam
from cmd_plugin.recipes import recipe_of
from pytracking.benchmark.series import Series, report, timed

MOST = 1_000_000
"""Pairs of the longest list."""
FOLDER = 1000
"""Pairs a folder."""
DRAWS = 300


def run(out: Path, most: int = MOST) -> int:
    """Measure, print and write everything; returns 0, or 1 where a cost grows worse than linearly.

    Args:
        out: folder for table, JSON and plot.
        most: pairs of the longest list; a tenth of them are files.

    Raises:
        UserError: files cannot be written, or a process fails.
    """
    torch.set_num_threads(1)
    with TemporaryDirectory(prefix='pairs_') as place:
        folder = Path(place)
        print(f'making {2 * most // 10:,} empty files ...', flush=True)
        many = [most // 1000, most // 100, most // 10, most]
        series = [*index_series(folder, many), draw_series(folder, many), box_series(folder, many[:-1]),
                  *size_series(folder)]
    return report(series, out, 'growth_pairs')


def index_series(folder: Path, counts: list[int]) -> list[Series]:
    """Time and memory of the index of lists and, but for the longest, of twin folders of these many pairs."""
    found = []
    lists = {count: folder / f'{count}.txt' for count in counts}
    twins = {count: folder / 'twins' / str(count) for count in counts[:-1]}
    for count, place in twins.items():
        write_pairs(place, count)
    for count, path in lists.items():
        write_list(path, twins[counts[-2]], counts[-2], count)
    for what, places in (('list', lists), ('twin folders', twins)):
        measured = [_index_of(place) for place in places.values()]
        for unit, key, scale in (('s', 'seconds', 1), ('MB', 'used', 1e-6)):
            found.append(Series(f'index of {what}', 'pairs', unit, tuple(places),
                                tuple(scale * one[key] for one in measured)))
        print(f'{places.popitem()[0]:,} pairs of {what}: {measured[-1]["all"]:.1f} s of processor time with the start '
              f'of Python and torch, {measured[-1]["peak"] / 1e6:.0f} MB with all of that', flush=True)
    return found


def draw_series(folder: Path, counts: list[int]) -> Series:
    """Time of samples of lists of so many pairs, without their images."""
    def draws(count: int) -> Callable[[], Any]:
        sampler = PairedSampler(_Unread(folder / f'{count}.txt'), CenterArea(), DRAWS)
        return lambda: [sampler[number] for number in range(DRAWS)]
    return timed(f'{DRAWS} draws', 'pairs', counts, draws)


def box_series(folder: Path, counts: list[int]) -> Series:
    """Time to find the pairs of as many box records; videos count their frames alike."""
    def boxes(count: int) -> Callable[[], Any]:
        pairs = PairedDataset(folder / 'twins' / str(count))
        names = (f'{FOLDER * (number // FOLDER)}/{number % FOLDER:06d}' for number in range(count))
        found = BoxSet(folder, [Record(name, 'rgb', (Found(0, 0, 9, 9, 1, 'car'),)) for name in names])
        return lambda: match_records([found], pairs)
    return timed('detected boxes matched', 'pairs', counts, boxes, repeats=1)


def size_series(folder: Path) -> list[Series]:
    """Time by the size of images, of a batch, and by the number of proposals."""
    def reading(pixels: int) -> Callable[[], Any]:
        height = math.isqrt(pixels * 3 // 4)
        image = cv2.resize(np.random.default_rng(0).integers(0, 255, (60, 80, 3), dtype=np.uint8),
                           (pixels // height, height))
        for half in ('rgb', 'tir'):
            path = folder / str(pixels) / half / '1.jpg'
            path.parent.mkdir(parents=True)
            path.write_bytes(cv2.imencode('.jpg', image)[1].tobytes())
        pairs = PairedDataset(folder / str(pixels))
        return lambda: pairs.read(0)
    return [timed('reading of a pair', 'px of the image', [width ** 2 * 3 // 4 for width in (320, 640, 1280, 2560)],
                  reading, repeats=5),
            timed('a step of d3', 'pairs a batch', (1, 2, 4, 8, 16), lambda pairs: _step(pairs=pairs)),
            timed('a step of d3', 'proposals', (8, 32, 128, 512), lambda count: _step(proposals=count)),
            timed('a step of d3', 'px of the crop', [side ** 2 for side in (96, 144, 192, 288)],
                  lambda pixels: _step(side=math.isqrt(pixels)))]


def write_pairs(folder: Path, count: int) -> None:
    """Empty files of `count` pairs in twin folders, `FOLDER` a folder."""
    for number in range(0, count, FOLDER):
        for half in ('visible', 'infrared'):
            place = folder / half / str(number)
            place.mkdir(parents=True)
            for file in range(min(FOLDER, count - number)):
                (place / f'{file:06d}.jpg').touch()


def write_list(path: Path, folder: Path, files: int, count: int) -> None:
    """A list of `count` pairs, of as many `files` in `folder` as there are; then it begins again."""
    names = (f'{folder.relative_to(path.parent).as_posix()}/{{}}/{FOLDER * (number % files // FOLDER)}/'
             f'{number % files % FOLDER:06d}.jpg' for number in range(count))
    with path.open('w', encoding='utf-8') as file:
        file.writelines(f'{name.format("visible")} {name.format("infrared")}\n' for name in names)


def measure(path: Path) -> dict[str, float]:
    """Of one index in this process.

    Returns:
        `seconds` it took, and `all` that the process had taken then; `peak` of the process's memory, and what the index
        `used` of that at most (bytes).
    """
    gc.collect()  # else what was imported may, or may not, be looked through just now
    start = time.process_time()
    PairedDataset(path)
    found = {'seconds': time.process_time() - start, 'all': time.process_time(), 'peak': peak_memory('cpu')}
    tracemalloc.start()  # the process's own peak says little of what fits into memory that was used before
    PairedDataset(path)
    return {**found, 'used': float(tracemalloc.get_traced_memory()[1])}


def _index_of(path: Path) -> dict[str, float]:
    result = subprocess.run([sys.executable, '-m', 'cmd_plugin.growth', str(path)], capture_output=True, text=True)
    if result.returncode:
        raise UserError(f'the index of {path} failed: {(result.stderr.splitlines() or ["no message"])[-1]}')
    return json.loads(result.stdout)


class _Unread(PairedDataset):
    """Pairs whose files are named, but not opened."""

    image = np.zeros((48, 64, 6), np.uint8)

    def read(self, index: int) -> Any:
        self.paths(index)
        return self.image


def _step(pairs: int = 2, proposals: int = 8, side: int = 144) -> Callable[[], None]:
    """One step of d3 with a small network."""
    torch.manual_seed(0)
    net = networks.new_network('dimp_small')
    recipe = recipe_of('cmd_dimp', 'd3')
    actor = CrossModalActor(net, copy.deepcopy(net), recipe)
    optimizer = MasterAdam(recipe.groups(net))
    data = random_batch(side, pairs, 6, 'cpu', proposals)
    return lambda: one_step(actor, optimizer, data)


if __name__ == '__main__':
    print(json.dumps(measure(Path(sys.argv[1]))))
