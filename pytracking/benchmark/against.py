"""Our speed beside that of a stock checkout: `python -m pytracking.benchmark --against DIR`.

Both toolkits do the work of `work.py` in processes of the same Python, with the same network file, one after
the other and more than once, so that both see the same state of the machine.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

from ltr.admin import checkpoint, plugins
from ltr.admin.errors import UserError
from ltr.models.tracking import dimpnet
from pytracking.benchmark import work

GROUP, MENDED = 'pytracking.checkouts', 'stock'
ROOT = Path(__file__).resolve().parents[2]
PARTS = ('ltr/__init__.py', 'ltr/models', 'pytracking/tracker/dimp', 'pytracking/parameter/dimp')
NETWORKS = {'dimp50': 'dimpnet50', 'dimp18': 'dimpnet18'}
"""Networks that the stock toolkit has, by the names of their parameters."""
ROUNDS = 2


def against(checkout: Path, name: str, frames: int, device: torch.device, rounds: int = ROUNDS) -> dict[str, Any]:
    """Measure both toolkits in turn.

    Args:
        checkout: folder of the stock toolkit.
        name: of `NETWORKS`; the weights are random.
        frames: to time in each round.
        device: the CPU, or CUDA.
        rounds: processes of each toolkit.

    Returns:
        Ratios ours / theirs: `frame` (medians), `frame_units` (each in units of its own process), `first_frame`,
        `evaluation` (or `evaluation_lacks`, why there is none); `ours_units`, `theirs_units`; `apart_px`, the largest
        distance of a box coordinate, px; `checkout`.

    Raises:
        UserError: no checkout of the toolkit, another network or device, or a process that fails.
    """
    folder = checked(checkout)
    if name not in NETWORKS:
        raise UserError(f'--against compares {" or ".join(NETWORKS)}: the stock toolkit has no {name}')
    if device.type not in ('cpu', 'cuda'):
        raise UserError(f'--against runs on the CPU or on CUDA, not on {device.type}: give --device cpu')
    with TemporaryDirectory() as place:
        network = Path(place) / f'{name}.pth.tar'
        write_network(network, name)
        task = {'parameters': name, 'network': str(network), 'frames': frames, 'use_gpu': device.type == 'cuda',
                'threads': torch.get_num_threads(), 'folder': place}
        found = [(_work(ROOT, task), _work(folder, task)) for _ in range(rounds)]
    return {'checkout': str(folder), **ratios(*([side[i] for side in found] for i in range(2)))}


def checked(folder: Path) -> Path:
    """The absolute path of a checkout.

    Raises:
        UserError: no such folder, not the toolkit, or our own.
    """
    path = folder.expanduser().resolve()
    if not path.is_dir():
        raise UserError(f'--against: no folder {folder}: give the one that holds ltr/ and pytracking/')
    missing = [part for part in PARTS if not (path / part).exists()]
    if missing:
        raise UserError(f'--against: {folder} is not a checkout of the toolkit: it has no {", ".join(missing)}')
    if path == ROOT:
        raise UserError(f'--against: {folder} is this toolkit: give the folder of another one')
    return path


def write_network(path: Path, name: str) -> None:
    """A checkpoint that both toolkits read, of random weights; boxes move little during refinement."""
    torch.manual_seed(0)
    net = getattr(dimpnet, NETWORKS[name])(backbone_pretrained=False, **dimpnet.STOCK_OPTIONS)
    net.bb_regressor.iou_predictor.weight.data *= 0.1
    checkpoint.save(path, {'epoch': 1, 'actor_type': 'DiMPActor', 'net_type': type(net).__name__,
                           'net': net.state_dict(), 'net_info': {}, 'constructor': net.constructor, 'optimizer': None,
                           'stats': {}, 'settings': None})


def environment(toolkit: Path) -> dict[str, str]:
    """Variables of a process that imports the toolkit in this folder before any other.

    What else an unmodified checkout needs on new versions of Python and torch, a package of the group
    `pytracking.checkouts` may know.
    """
    if toolkit != ROOT and MENDED in plugins.names(GROUP):
        return plugins.load(GROUP, MENDED)(toolkit)
    paths = [str(toolkit), *filter(None, os.environ.get('PYTHONPATH', '').split(os.pathsep))]
    return {**os.environ, 'PYTHONPATH': os.pathsep.join(paths), 'PYTHONDONTWRITEBYTECODE': '1'}


def _work(toolkit: Path, task: dict[str, Any]) -> dict[str, Any]:
    """The result of one process."""
    source = Path(work.__file__).read_text(encoding='utf-8')
    result = subprocess.run([sys.executable, '-c', source, json.dumps({**task, 'toolkit': str(toolkit)})],
                            capture_output=True, text=True, cwd=task['folder'], env=environment(toolkit))
    told = [line for line in result.stdout.splitlines() if line.startswith(work.MARK)]
    if result.returncode or not told:
        last = (result.stderr.strip() or result.stdout.strip() or 'it says nothing').splitlines()[-1]
        raise UserError(f'--against: the toolkit in {toolkit} does not run here: {last}')
    found = json.loads(told[-1].removeprefix(work.MARK))
    if found['toolkit'] != str(toolkit):
        raise UserError(f'--against: {found["toolkit"]} is imported in place of {toolkit}: take it off PYTHONPATH')
    return found


def ratios(ours: list[dict[str, Any]], theirs: list[dict[str, Any]]) -> dict[str, Any]:
    """What `against` returns, of the results of all rounds."""
    def median(side: list[dict[str, Any]], key: str) -> float:
        return float(np.median(np.concatenate([np.atleast_1d(one[key]) for one in side])))
    units = [median(side, 'frames') / median(side, 'units') for side in (ours, theirs)]
    found: dict[str, Any] = {
        'frame': median(ours, 'frames') / median(theirs, 'frames'), 'frame_units': units[0] / units[1],
        'first_frame': median(ours, 'initialise') / median(theirs, 'initialise'), 'ours_units': units[0],
        'theirs_units': units[1],
        'apart_px': float(np.abs(np.subtract(ours[0]['boxes'], theirs[0]['boxes'])).max())}
    lacking = [one['evaluation_lacks'] for one in (*ours, *theirs) if 'evaluation_lacks' in one]
    if lacking:
        return {**found, 'evaluation_lacks': lacking[0]}
    return {**found, 'evaluation': median(ours, 'evaluation') / median(theirs, 'evaluation')}


def lines(name: str, found: dict[str, Any]) -> list[str]:
    """The same as text."""
    evaluation = (f'evaluation {found["evaluation"]:.2f}' if 'evaluation' in found else
                  f'evaluation not compared ({found["evaluation_lacks"]})')
    return [f'{name}, this toolkit / {found["checkout"]}: frame {found["frame"]:.2f} (in units '
            f'{found["ours_units"]:.2f} / {found["theirs_units"]:.2f} = {found["frame_units"]:.2f}), first frame '
            f'{found["first_frame"]:.2f}, {evaluation}; boxes at most {found["apart_px"]:.3g} px apart']
