"""Several GPUs in one process."""

from __future__ import annotations

from typing import Any

from torch import nn


class MultiGPU(nn.DataParallel):
    """`torch.nn.DataParallel` that hands on the attributes of the network it wraps.

    Args (of `DataParallel`): `dim` is the axis that is split; image stacks are (frames, batch, ...), so it is
    1.
    """

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(super().__getattr__('module'), name)


def unwrap(net: nn.Module) -> nn.Module:
    """The network itself; checkpoints hold this one."""
    return net.module if isinstance(net, nn.DataParallel) else net
