"""Speed of DiMP's training, and of the loader that feeds it: `python -m pytracking.benchmark training loader`.

The unit of a step is one forward pass of the network's own backbone over the images of the step, in the same run.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np
import torch

from ltr.admin.settings import Settings
from ltr.models.tracking.network import DiMPnet
from ltr.train_settings.dimp import _common as settings
from pytracking.benchmark.parts import Clock, timed

FRAMES, SHAPE = 60, (480, 640, 3)
"""Of the generated video: as long as samples need (`MIN_LENGTH`) and a little more."""


def recipe_of(name: str) -> settings.DiMPRecipe:
    """Numbers of the stock setting that trains the network `name`."""
    return importlib.import_module(f'ltr.train_settings.dimp.{name}').RECIPE


def training_step(recipe: settings.DiMPRecipe, rows: int, device: torch.device | str = 'cpu',
                  ) -> tuple[Callable[[], None], Callable[[], Any]]:
    """One step of DiMP's training on a batch of random crops, and its unit.

    Args:
        recipe: which network, crops, proposals.
        rows: sequences a batch; each has `recipe.frames` reference and as many test images.
        device: where both run.

    Returns:
        What takes the step, and what does the unit.
    """
    torch.manual_seed(0)
    net: Any = recipe.network(backbone_pretrained=False, **recipe.options)
    actor = settings.actor(net, recipe)
    actor.to(device)
    actor.train(True)
    optimizer = torch.optim.Adam(settings.parameter_groups(net, recipe, 1.0))
    data = {name: tensor.to(device) for name, tensor in _batch(recipe, rows).items()}

    def step() -> None:
        loss, _ = actor(data)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    images = torch.cat([data['train_images'], data['test_images']]).flatten(0, 1)
    return step, torch.no_grad()(lambda: _features(net, images))


def _features(net: DiMPnet, images: torch.Tensor) -> Any:
    net.eval()
    features = net.extract_backbone_features(images)
    net.train()
    return features


def _batch(recipe: settings.DiMPRecipe, rows: int) -> dict[str, torch.Tensor]:
    """Random crops (frames, rows, 3, side, side), a box of a fifth in the middle, proposals around it."""
    frames, side, count = recipe.frames, recipe.output_sz, recipe.proposals
    box = torch.tensor([0.4, 0.4, 0.2, 0.2]).mul(side).expand(frames, rows, 4)
    images, cells = torch.randn(frames, rows, 3, side, side), recipe.feature_sz + 1
    return {'train_images': images, 'test_images': images.flip(-1), 'train_anno': box, 'test_anno': box,
            'test_proposals': box[:, :, None] + torch.rand(frames, rows, count, 4) * side / 40,
            'proposal_iou': torch.rand(frames, rows, count), 'test_label': torch.rand(frames, rows, cells, cells)}


def training(name: str, rows: int, device: torch.device, now: Clock, steps: int = 3) -> dict[str, float]:
    """Time steps and units in turn, after one that does not count.

    Returns:
        `batch`, `step_ms`, `unit_ms` (medians), `ratio` of both, and `samples_per_second`.
    """
    step, unit = training_step(recipe_of(name), rows, device)
    times = np.array([[timed(step, now), timed(unit, now)] for _ in range(steps + 1)][1:])
    one, other = (float(value) for value in np.median(times, axis=0))
    return {'batch': rows, 'step_ms': 1e3 * one, 'unit_ms': 1e3 * other, 'ratio': one / other,
            'samples_per_second': rows / one}


def loader(name: str, rows: int, workers: int, batches: int = 8) -> dict[str, float]:
    """Time the loader of DiMP's training on a generated video of 640 x 480 px, JPEG.

    Args:
        name: network, whose stock setting says how samples are made.
        rows: sequences a batch.
        workers: loader processes; 0 loads in this one.
        batches: how many count, after two that do not (workers start).

    Returns:
        `batch`, `workers`, `batch_ms`, `samples_per_second`.
    """
    with TemporaryDirectory() as folder:
        write_video(Path(folder) / 'video')
        options = Settings()
        options.data, options.batch, options.workers = [Path(folder)], rows, workers
        options.samples = rows * (batches + 2)
        iterator = iter(settings.training_loader(options, recipe_of(name)))
        for _ in range(2):
            next(iterator)
        start = time.perf_counter()  # workers are processes of their own: real time tells
        for _ in range(batches):
            next(iterator)
        seconds = (time.perf_counter() - start) / batches
        del iterator  # the workers end before their folder goes
    return {'batch': rows, 'workers': workers, 'batch_ms': 1e3 * seconds, 'samples_per_second': rows / seconds}


def write_video(folder: Path, frames: int = FRAMES) -> None:
    """A labelled sequence: smooth noise that drifts by a pixel a frame, and a box that goes with it."""
    rng = np.random.default_rng(0)
    height, width, channels = SHAPE
    coarse = rng.integers(0, 255, (height // 8, (width + frames) // 8 + 1, channels), dtype=np.uint8)
    canvas = cv2.resize(coarse, (width + frames, height))
    (folder / 'img').mkdir(parents=True)
    for number in range(frames):
        (folder / 'img' / f'{number + 1:04d}.jpg').write_bytes(
            cv2.imencode('.jpg', canvas[:, number:number + width])[1].tobytes())
    boxes = [f'{300 - number},220,60,70\n' for number in range(frames)]
    (folder / 'groundtruth_rect.txt').write_text(''.join(boxes), encoding='ascii')
