"""How fast d3 learns, beside the plain way of doing the same; part of `python -m cmd_plugin benchmark`.

Both sides take steps in turn, in one process, on the same random batch, with the optimiser. On the CPU with one thread
the clock is that of the process, which other programs do not disturb; else it is the wall's.
"""

from __future__ import annotations

import copy
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from cmd_plugin import networks
from cmd_plugin.actor import CrossModalActor
from cmd_plugin.benchmark import one_step, random_batch
from cmd_plugin.components import Features
from cmd_plugin.data import CenterArea, PairedDataset, PairedSampler, cross_modal_processing, split
from cmd_plugin.data.pair_cache import CachedPairs
from cmd_plugin.master import MasterAdam
from cmd_plugin.recipe import CMDRecipe
from cmd_plugin.recipes import recipe_of
from ltr.data import LTRLoader

ROUNDS = 3
PAIR_SIZE = (512, 640)
"""Of the images that are read, px (height, width): that of common thermal cameras."""
FILES = 8
STEPS = 6
WORKERS = 2


class PlainActor(CrossModalActor):
    """The same loss and gradients without any thrift: the straightforward way.

    Teacher and student are two whole networks; each runs its own backbone on each of its images, all with a graph, as
    if everything were trained: only the optimiser knows what is not.

    Args:
        student, parent, recipe: as for `CrossModalActor`; a recipe with mix `batch` and student `both`.
        frozen: weights that are not trained require no gradient, so that the graph is that of the trained ones.
    """

    def __init__(self, student: nn.Module, parent: nn.Module, recipe: CMDRecipe, frozen: bool = False) -> None:
        super().__init__(student, parent, recipe)
        self.teacher.feature_extractor = copy.deepcopy(self.net.feature_extractor)
        if not frozen:
            self.net.requires_grad_(True)
            self.teacher.requires_grad_(True)

    def _features(self, images: Mapping[str, Tensor]) -> list[dict[str, Features]]:
        return [{branch: net.extract_backbone_features(split(images[branch])[modality]) for branch in images}
                for modality, net in enumerate((self.teacher, self.net))]

    def _encode(self, net: Any, method: str, component: str, *args: Any) -> Any:
        return getattr(self.recipe.component(component), method)(net, *args)


SIDES: dict[str, Callable[..., CrossModalActor]] = {
    'plain': PlainActor,
    'plain, frozen weights': lambda student, parent, recipe: PlainActor(student, parent, recipe, frozen=True),
    'd3': CrossModalActor,
    'd3, bfloat16 backbone': lambda student, parent, recipe: CrossModalActor(student, parent, recipe, torch.bfloat16)}


def run(net_name: str, pairs: int, device: str, rounds: int = ROUNDS) -> None:
    """Measure and print: samples a second of every side over those of the plain one, and the loader's share.

    Args:
        net_name: network, as `--net`.
        pairs: a batch.
        device: `cpu` or `cuda`.
        rounds: steps of each side, after one to warm up; the median counts.
    """
    net = networks.new_network(net_name)
    steps = {name: step_of(make, net, pairs, device) for name, make in SIDES.items()}
    times = in_turn(steps, rounds, device)
    print(f'{net_name}, {pairs} pairs a step, {device}, {torch.get_num_threads()} threads, torch {torch.__version__}; '
          f'samples a second over those of the plain way:')
    for name, seconds in times.items():
        kept = kept_for_backward(SIDES[name], net, device) / 10 ** 6
        print(f'{name}: {times["plain"] / seconds:.2f}; {kept:.0f} MB a pair kept for the backward pass')
    with tempfile.TemporaryDirectory() as folder:
        write_pairs(Path(folder) / 'pairs')
        cost = loader_shares(Path(folder), networks.crop_size(net), pairs)
        for name, seconds in cost.items():
            print(f'making a batch, {name}: {seconds / times["d3"]:.1%} of a step of d3 by one process')
        share = wait_share(Path(folder), net, pairs, steps['d3'], device)
        print(f'waiting for the loader, {WORKERS} loader processes: {share:.1%} of the time')


def step_of(make: Callable[..., CrossModalActor], net: nn.Module, pairs: int, device: str) -> Callable[[], None]:
    """One step of a side, on networks of its own and a random batch."""
    student, recipe = copy.deepcopy(net), recipe_of('cmd_dimp', 'd3')
    actor = make(student, copy.deepcopy(net), recipe)
    actor.to(device)
    optimizer = MasterAdam(recipe.groups(student))
    torch.manual_seed(0)
    data = random_batch(networks.crop_size(net), pairs, 6, device)

    def step() -> None:
        one_step(actor, optimizer, data)
        for weight in (*actor.net.parameters(), *actor.teacher.parameters()):
            weight.grad = None
    return step


def kept_for_backward(make: Callable[..., CrossModalActor], net: nn.Module, device: str) -> int:
    """Bytes of activations of one pair that the graph of a side holds when its forward pass is done."""
    student = copy.deepcopy(net)
    actor = make(student, copy.deepcopy(net), recipe_of('cmd_dimp', 'd3'))
    actor.to(device)
    ours = [*actor.net.state_dict().values(), *actor.teacher.state_dict().values()]
    weights, kept = {value.untyped_storage().data_ptr() for value in ours}, {}

    def note(value: Tensor) -> Tensor:
        storage = value.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
        return value
    with torch.autograd.graph.saved_tensors_hooks(note, lambda value: value):
        graph = actor(random_batch(networks.crop_size(net), 1, 6, device))  # held while it is counted
    del graph
    return sum(kept.values())


def in_turn(steps: Mapping[str, Callable[[], None]], rounds: int, device: str) -> dict[str, float]:
    """Median seconds of each function, all called in turn, once more than `rounds`."""
    clock = time.process_time if device == 'cpu' and torch.get_num_threads() == 1 else time.perf_counter
    found: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds + 1):
        for name, step in steps.items():
            start = clock()
            step()
            if device.startswith('cuda'):
                torch.cuda.synchronize()
            found[name].append(clock() - start)
    return {name: statistics.median(times[1:]) for name, times in found.items()}


def write_pairs(folder: Path) -> None:
    """A few pairs of smooth random images, JPEG and PNG, in twin folders."""
    rng = np.random.default_rng(0)
    for name, channels, suffix in (('visible', 3, '.jpg'), ('infrared', 1, '.png')):
        (folder / name).mkdir(parents=True)
        for index in range(FILES):
            rough = rng.integers(0, 256, (PAIR_SIZE[0] // 8, PAIR_SIZE[1] // 8, channels), np.uint8)
            image = cv2.resize(rough, PAIR_SIZE[::-1], interpolation=cv2.INTER_CUBIC)
            (folder / name / f'{index}{suffix}').write_bytes(cv2.imencode(suffix, image)[1].tobytes())


def loader_shares(folder: Path, crop: int, pairs: int) -> dict[str, float]:
    """Seconds that a process takes to make a batch, files decoded each time and kept decoded."""
    samplers = {'files decoded': sampler_of(folder, crop, 0), 'decoded files kept': sampler_of(folder, crop, 1000)}
    for index in range(4 * FILES):
        samplers['decoded files kept'][index]
    times = in_turn({name: lambda sampler=sampler: [sampler[index] for index in range(FILES)]  # type: ignore[misc]
                     for name, sampler in samplers.items()}, ROUNDS, 'cpu')
    return {name: pairs * seconds / FILES for name, seconds in times.items()}


def sampler_of(folder: Path, crop: int, megabytes: int) -> PairedSampler:
    """Samples of the pairs in `folder`, with a cache of that size."""
    dataset = PairedDataset(folder / 'pairs')
    pairs = CachedPairs(dataset, folder / 'cache', megabytes) if megabytes else dataset
    return PairedSampler(pairs, CenterArea(), 10 ** 6, cross_modal_processing(output_sz=crop, feature_sz=crop // 16))


def wait_share(folder: Path, net: nn.Module, pairs: int, step: Callable[[], None], device: str) -> float:
    """Share of the time of some steps that passes until the loader has given a batch; the first batch is left out."""
    sampler = sampler_of(folder, networks.crop_size(net), 0)
    sampler.samples_per_epoch = pairs * (STEPS + 1)
    batches = iter(LTRLoader('train', sampler, batch_size=pairs, num_workers=WORKERS, stack_dim=1))
    next(batches)
    waited, start = 0.0, time.perf_counter()
    for _ in range(STEPS):
        before = time.perf_counter()
        next(batches)
        waited += time.perf_counter() - before
        step()
        if device.startswith('cuda'):
            torch.cuda.synchronize()
    return waited / (time.perf_counter() - start)
