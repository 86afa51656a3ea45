"""One training run in several processes that `torchrun` starts: who we are, means over all, and one voice.

Every process holds the same weights and learns from its share of each batch; gradients are averaged after the backward
pass, in one flat piece. `DistributedDataParallel` does not serve here: it hangs on the network's own `forward`, and
actors call parts of a network. Without `torchrun` all of this does nothing.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from ltr.admin.errors import UserError

VARIABLES = ('RANK', 'WORLD_SIZE', 'MASTER_ADDR', 'MASTER_PORT')
"""What `torchrun` sets."""
PATIENCE = timedelta(minutes=30)
"""How long the others wait for one process, as in the first batch of slow data."""
FAILED = f'failed/{os.environ.get("TORCHELASTIC_RESTART_COUNT", 0)}'
"""Where the processes count, in the store that all see, who has failed."""
LOST = ('another process of this run has ended without a message (killed, or out of memory?); the same command goes on '
        'after the last finished epoch')


_stores: list[Any] = []


def world() -> int:
    """Number of processes of this run."""
    return dist.get_world_size() if _joined() else 1


def rank() -> int:
    """Number of this process, from 0; process 0 alone writes and prints."""
    return dist.get_rank() if _joined() else 0


@contextmanager
def session() -> Iterator[None]:
    """Be one of the processes that `torchrun` started, if it did, for the length of a block.

    Processes but the first print nothing on stdout. When one fails, all end: the first one to fail tells why, the
    others leave in silence with status 2.

    Raises:
        UserError: another process ended without a message, or no connection comes about.
    """
    if not all(os.environ.get(name) for name in VARIABLES) or int(os.environ['WORLD_SIZE']) == 1:
        yield
        return
    _stores.append(_join())
    try:
        with open(os.devnull, 'w', encoding='utf-8') as nowhere, redirect_stdout(nowhere if rank() else sys.stdout):
            yield
    except BaseException:
        if not _first_to_fail():
            raise SystemExit(2) from None
        raise
    _stores.clear()
    dist.destroy_process_group()


def own_device(device: torch.device) -> torch.device:
    """The device of this process: its own GPU where `device` is CUDA, else as it is.

    Raises:
        UserError: fewer GPUs than processes on this machine, one GPU named for all, or a device that cannot share.
    """
    if world() == 1 or device.type == 'cpu':
        return device
    if device.type != 'cuda' or device.index is not None:
        raise UserError(f'{world()} processes cannot share the device {device}: give --device cpu or --device cuda')
    place = int(os.environ.get('LOCAL_RANK', 0))
    if place >= torch.cuda.device_count():
        raise UserError(f'this machine has {torch.cuda.device_count()} GPUs for more processes: lower --nproc_per_node')
    torch.cuda.set_device(place)
    return torch.device('cuda', place)


def mean(values: Tensor) -> Tensor:
    """Mean of a tensor over all processes, in place; no gradient flows.

    Raises:
        UserError: another process has gone.
    """
    if world() > 1:
        try:
            dist.all_reduce(values)
        except RuntimeError as error:
            raise UserError(LOST) from error
        values /= world()
    return values


def means(numbers: Mapping[str, float]) -> dict[str, float]:
    """Means of some numbers over all processes, which must have the same names."""
    if world() == 1:
        return dict(numbers)
    averaged = mean(torch.tensor(list(numbers.values()), dtype=torch.float64))
    return dict(zip(numbers, averaged.tolist(), strict=True))


def weight_of(count: int) -> float:
    """What a mean over `count` elements of this process is to be multiplied by, so that the mean over the processes is
    the mean over the elements of all. 1 in a single process; all processes must ask."""
    average = means({'count': count})['count']
    return count / average if average else 1.0


def average_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Mean of all gradients over the processes, in place; a parameter without one anywhere is left without."""
    if world() == 1:
        return
    weights = [parameter for parameter in parameters if parameter.requires_grad]
    present = torch.tensor([float(weight.grad is not None) for weight in weights], device=weights[0].device)
    parts = [torch.zeros_like(weight).flatten() if weight.grad is None else weight.grad.flatten() for weight in weights]
    *parts, present = mean(torch.cat([*parts, present])).split([*(part.numel() for part in parts), len(weights)])
    for weight, part, anywhere in zip(weights, parts, present.tolist(), strict=True):
        if anywhere:
            weight.grad = torch.empty_like(weight) if weight.grad is None else weight.grad
            weight.grad.copy_(part.view_as(weight))


def check_equal(what: str, numbers: Sequence[float]) -> None:
    """Make sure that all processes have the same numbers, bit for bit.

    Raises:
        UserError: they do not; `what` says of what.
    """
    if world() == 1:
        return
    here = torch.tensor(numbers, dtype=torch.float64)
    everywhere: list[Any] = [torch.empty_like(here) for _ in range(world())]
    dist.all_gather(everywhere, here)
    if any(not torch.equal(here, there) for there in everywhere):
        raise UserError(f'the processes of this run do not have the same {what}: all need the same options, data and '
                        '--workspace, on several machines a shared one')


def told_elsewhere() -> bool:
    """Whether another process has failed, and told why."""
    return bool(_stores) and _stores[-1].check([FAILED])


def _joined() -> bool:
    return dist.is_available() and dist.is_initialized()


def _join() -> Any:
    """Connect to the others; returns the store that all of them see."""
    on_gpu = torch.cuda.is_available() and dist.is_nccl_available()
    try:
        store, number, size = next(dist.rendezvous('env://', timeout=PATIENCE))
        dist.init_process_group('cpu:gloo,cuda:nccl' if on_gpu else 'gloo', store=store, rank=number, world_size=size,
                                timeout=PATIENCE)
    except (RuntimeError, ValueError) as error:
        raise UserError(f'the processes of this run do not find one another: {str(error).splitlines()[0]}') from error
    return store


def _first_to_fail() -> bool:
    try:
        return _stores[-1].add(FAILED, 1) == 1
    except RuntimeError:  # the process that kept the store has gone: better twice than never
        return True
