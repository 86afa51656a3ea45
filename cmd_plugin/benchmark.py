"""Peak memory of distillation beside stock DiMP training at the same number of images.

`python -m cmd_plugin benchmark` runs each side in a process of its own (`python -m cmd_plugin.benchmark SIDE ...`), on
random images, with the optimiser, so that what one side keeps does not count for the other. On the CPU the figure is
the peak of the resident memory, less what the process holds before it makes its network; on CUDA it is the peak of
what torch has allocated.
"""

from __future__ import annotations

import copy
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from cmd_plugin import networks
from cmd_plugin.actor import CrossModalActor
from cmd_plugin.errors import UserError
from cmd_plugin.master import MasterAdam
from cmd_plugin.recipes import recipe_of

LIMIT = 1.15
"""Most that d3 may take, in units of the stock training."""
PROPOSALS = 8
STEPS = 2
"""The optimiser's state is made in the first step: the second one meets it."""


def run(net_name: str, pairs: int, device: str) -> int:
    """Measure both sides and print them; returns 0, or 1 when d3 takes more than the limit.

    Args:
        net_name: network, as `--net`.
        pairs: a batch of d3; stock training gets as many images.
        device: `cpu` or `cuda`.

    Raises:
        UserError: a side fails, or memory cannot be read here.
    """
    images = 4 * pairs  # two crops of two modalities
    names = {'d3': f'd3, {pairs} pairs', 'stock': f'stock training, {images // 2} x (1 reference + 1 test)'}
    sides = {side: _in_process(side, net_name, pairs, device) for side in names}
    print(f'{net_name}, {images} images a step, {device}, torch {torch.__version__}')
    for side, found in sides.items():
        print(f'{names[side]}: peak {found["peak"] / 2 ** 20:.0f} MiB, of these {found["before"] / 2 ** 20:.0f} before '
              f'the network; {found["seconds"]:.1f} s a step')
    ratio = (sides['d3']['peak'] - sides['d3']['before']) / (sides['stock']['peak'] - sides['stock']['before'])
    print(f'd3 / stock: {ratio:.2f} (limit {LIMIT})')
    return 0 if ratio <= LIMIT else 1


def _in_process(side: str, net_name: str, pairs: int, device: str) -> dict[str, float]:
    command = [sys.executable, '-m', 'cmd_plugin.benchmark', side, net_name, str(pairs), device]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode:
        raise UserError(f'the benchmark of {side} failed: {(result.stderr.splitlines() or ["no message"])[-1]}')
    return json.loads(result.stdout)


def measure(side: str, net_name: str, pairs: int, device: str) -> dict[str, float]:
    """Peak memory and memory before (bytes) and time a step (s) of `d3` or `stock` training in this process."""
    torch.manual_seed(0)
    before = peak_memory(device)
    step = {'d3': _d3, 'stock': _stock}[side](networks.new_network(net_name), pairs, device)
    start = time.perf_counter()
    for _ in range(STEPS):
        step()
    return {'peak': peak_memory(device), 'before': before, 'seconds': (time.perf_counter() - start) / STEPS}


def _d3(net: nn.Module, pairs: int, device: str) -> Callable[[], None]:
    recipe = recipe_of('cmd_dimp', 'd3')
    actor = CrossModalActor(net, copy.deepcopy(net), recipe)
    actor.to(device)
    optimizer = MasterAdam(recipe.groups(net))
    data = random_batch(networks.crop_size(net), pairs, 6, device)
    return lambda: one_step(actor, optimizer, data)


def _stock(net: nn.Module, pairs: int, device: str) -> Callable[[], None]:
    from ltr.actors import DiMPActor
    from ltr.models.loss.target_classification import LBHinge
    net.to(device)
    weights = {'iou': 1.0, 'test_clf': 100, 'test_init_clf': 100, 'test_iter_clf': 400}
    actor = DiMPActor(net, {'iou': nn.MSELoss(), 'test_clf': LBHinge(threshold=0.05)}, weights)
    actor.train(True)
    optimizer = torch.optim.Adam([p for p in net.parameters() if p.requires_grad], lr=1e-5)
    data = random_batch(networks.crop_size(net), 2 * pairs, 3, device)
    return lambda: one_step(actor, optimizer, data)


def one_step(actor: Any, optimizer: Any, data: dict[str, Tensor]) -> None:
    """Forward pass, backward pass, new weights."""
    loss, _ = actor(data)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def random_batch(size: int, rows: int, channels: int, device: str, proposals: int = PROPOSALS) -> dict[str, Tensor]:
    """Random crops (1, rows, channels, size, size), a box of a fifth in the middle, proposals around it."""
    box = torch.tensor([0.4, 0.4, 0.2, 0.2]).mul(size).expand(1, rows, 4)
    cells = size // 16 + 1
    data = {'train_images': torch.randn(1, rows, channels, size, size),
            'test_images': torch.randn(1, rows, channels, size, size), 'train_anno': box, 'test_anno': box,
            'test_proposals': box[:, :, None] + torch.rand(1, rows, proposals, 4) * 8,
            'proposal_iou': torch.rand(1, rows, proposals), 'test_label': torch.rand(1, rows, cells, cells)}
    return {key: value.to(device) for key, value in data.items()}


def peak_memory(device: str) -> float:
    """Peak memory so far, bytes: of this process, or on CUDA of what torch has allocated there."""
    if device.startswith('cuda'):
        return float(torch.cuda.max_memory_allocated(device))
    status = Path('/proc/self/status')
    if status.is_file():  # of this program alone; `ru_maxrss` may count what the parent had when it started us
        line = next(line for line in status.read_text(encoding='ascii').splitlines() if line.startswith('VmHWM:'))
        return 1024.0 * int(line.split()[1])
    try:
        import resource
    except ImportError:
        raise UserError('peak memory cannot be read on this system: give --device cuda') from None
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(used if sys.platform == 'darwin' else 1024 * used)


if __name__ == '__main__':
    print(json.dumps(measure(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4])))
