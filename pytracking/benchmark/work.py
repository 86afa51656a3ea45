"""The work that `python -m pytracking.benchmark --against DIR` gives to either toolkit, each in a process of its own.

The text of this file is run by `python -c`, so that nothing but the environment decides which toolkit is imported.
Only names of the stock toolkit's public face are used. Paths of the machine are kept from it: it reads and writes in a
folder of its own.
"""

from __future__ import annotations

import json
import math
import sys
import time
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torchvision

MARK = 'RESULT '
"""Begins the line that tells the result; toolkits print, too."""
WARM_UP = 3
SEQUENCES, LENGTH = 20, 500
"""Of the evaluation."""


def video(length: int) -> list[np.ndarray]:
    """Noise that drifts by a pixel a frame, (480, 640, 3) uint8."""
    canvas = np.random.default_rng(0).integers(0, 255, (480, 640 + length, 3), dtype=np.uint8)
    return [np.ascontiguousarray(canvas[:, i:i + 640]) for i in range(length)]


def keep_to(folder: str) -> None:
    """Let both files of paths name `folder`, whatever stands in them; the toolkit's own are not read, nor written."""
    class Paths:
        """Every path."""

        def __getattr__(self, name: str) -> str:
            if name.startswith('_'):
                raise AttributeError(name)
            return folder
    for module, name in (('ltr.admin.local', 'EnvironmentSettings'),
                         ('pytracking.evaluation.local', 'local_env_settings')):
        sys.modules[module] = module_from_spec(ModuleSpec(module, None))
        setattr(sys.modules[module], name, Paths)


def track(parameters: str, network: str, frames: int, use_gpu: bool) -> dict[str, Any]:
    """Time tracked frames and, in turn, forward passes of torchvision's ResNet to layer3.

    Args:
        parameters: module of `pytracking.parameter.dimp`, also the network's name.
        network: checkpoint.
        frames: how many are timed.
        use_gpu: as a toolkit understands it.

    Returns:
        `initialise` (s), `frames`, `units` (s each), and `boxes` (`xywh`, image px).
    """
    from importlib import import_module

    from pytracking.features.net_wrappers import NetWithBackbone
    from pytracking.tracker.dimp import get_tracker_class
    params = import_module(f'pytracking.parameter.dimp.{parameters}').parameters()
    params.debug, params.visualization, params.use_gpu = 0, False, use_gpu
    # Every frame counts as found and normal: so the work does not depend on what a toolkit thinks of noise.
    params.target_not_found_threshold = -math.inf
    params.distractor_threshold = params.hard_negative_threshold = math.inf
    params.net = NetWithBackbone(net_path=network, use_gpu=use_gpu)
    np.random.seed(0)
    torch.manual_seed(0)
    tracker, images, unit = get_tracker_class()(params), video(1 + WARM_UP + frames), unit_of(parameters, use_gpu)
    found: dict[str, Any] = {'boxes': [], 'frames': [], 'units': []}
    start = now(use_gpu)
    tracker.initialize(images[0], {'init_bbox': [300.0, 220.0, 60.0, 70.0]})
    found['initialise'] = now(use_gpu) - start
    for image in images[1:]:
        start = now(use_gpu)
        out = tracker.track(image, {'previous_output': {}})
        between = now(use_gpu)
        unit()
        found['frames'].append(between - start)
        found['units'].append(now(use_gpu) - between)
        found['boxes'].append([float(value) for value in out['target_bbox']])
    return {**found, 'frames': found['frames'][WARM_UP:], 'units': found['units'][WARM_UP:]}


def unit_of(parameters: str, use_gpu: bool) -> Any:
    """The unit of `pytracking.benchmark`, of the backbone of this network."""
    device = 'cuda' if use_gpu else 'cpu'
    resnet = getattr(torchvision.models, f'resnet{parameters[-2:]}')(weights=None).to(device).eval()
    layers = torch.nn.Sequential(*list(resnet.children())[:7])
    crop = torch.randn(1, 3, 288, 288, device=device)
    return torch.no_grad()(lambda: layers(crop))


def now(use_gpu: bool) -> float:
    """Time, when all work that was started is done."""
    if use_gpu:
        torch.cuda.synchronize()
    return time.perf_counter()


def evaluation(parameters: str) -> float:
    """Seconds to evaluate saved results.

    Raises:
        ImportError: the toolkit has no evaluation.
    """
    from pytracking.analysis.extract_results import extract_results
    from pytracking.evaluation import Sequence, Tracker
    rng = np.random.default_rng(0)
    tracker = Tracker('dimp', parameters)
    results = Path(tracker.results_dir)
    results.mkdir(parents=True, exist_ok=True)
    sequences = []
    for number in range(SEQUENCES):
        boxes = np.concatenate([rng.uniform(1, 500, (LENGTH, 2)), rng.uniform(8, 90, (LENGTH, 2))], axis=1)
        sequences.append(Sequence(f'{number:02d}', [''] * LENGTH, 'made_up', boxes))
        np.savetxt(results / f'{number:02d}.txt', np.rint(boxes + rng.normal(0, 4, boxes.shape)), '%d', '\t')
        np.savetxt(results / f'{number:02d}_time.txt', np.full(LENGTH, 0.01), '%f')
    start = time.perf_counter()
    extract_results([tracker], sequences, 'benchmark')
    return time.perf_counter() - start


def check_origin(toolkit: str) -> None:
    """Raise `ImportError` where a part of a toolkit was imported from elsewhere.

    What a checkout lacks, an installed toolkit may offer: the finders of editable installations do.
    """
    for name, module in sys.modules.items():
        file = getattr(module, '__file__', None)
        if name.split('.')[0] in ('ltr', 'pytracking') and file and not Path(file).resolve().is_relative_to(toolkit):
            raise ImportError(f'{name} comes from {file}')


def main(task: dict[str, Any]) -> None:
    """Do the work of one process and print its result."""
    torch.set_num_threads(task['threads'])
    keep_to(task['folder'])
    import pytracking
    found: dict[str, Any] = {'toolkit': str(Path(next(iter(pytracking.__path__))).resolve().parent)}
    if found['toolkit'] == task['toolkit']:
        found.update(track(task['parameters'], task['network'], task['frames'], task['use_gpu']))
        check_origin(task['toolkit'])
        try:
            found['evaluation'] = evaluation(task['parameters'])
            check_origin(task['toolkit'])
        except Exception as error:  # whatever another toolkit may raise is told
            found['evaluation_lacks'] = f'{type(error).__name__}: {error}'
    print(MARK + json.dumps(found))


if __name__ == '__main__':
    main(json.loads(sys.argv[1]))
