"""Local cost volumes: how well every cell of one map matches the cells around its place on another.

Legend: B images, C channels, H x W cells, d greatest displacement along an axis, D = 2 d + 1. A volume (B, D, D, H, W)
holds at [b, i, j, y, x] what is known of cell (y, x) of the first map and cell (y + i - d, x + j - d) of the second.

Reference: Bhat et al., "Know Your Surroundings", ECCV 2020, Sec. 3; the operator is that of FlowNet and PWC-Net.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from ltr.admin.errors import UserError

MODULE = 'spatial_correlation_sampler'
COMPILED_DEVICES = ('cpu', 'cuda')
TOLERANCE = 1e-5
"""Of the compiled operator against the plain one, for products of unit vectors."""

Operator = Callable[[Tensor, Tensor, int], Tensor]


def cost_volume(first: Tensor, second: Tensor, max_displacement: int) -> Tensor:
    """Dot products of the cells of two maps, within a window; 0 where the window leaves the second map.

    Computed by `spatial_correlation_sampler` where that is installed, otherwise by `plain_cost_volume`.

    Args:
        first, second: (B, C, H, W).
        max_displacement: d >= 0.

    Returns:
        (B, D, D, H, W); gradient flows to both maps.

    Raises:
        UserError: the installed package does not import, or computes something else.
    """
    compiled = operator_for(first.device.type)
    return (compiled or plain_cost_volume)(first, second, max_displacement)


def plain_cost_volume(first: Tensor, second: Tensor, max_displacement: int) -> Tensor:
    """`cost_volume` in plain torch, on any device: one matrix product of all pairs of cells, of which windows are cut.

    Takes B H W (H + 2 d) (W + 2 d) numbers besides the result: for 19 x 19 cells and d = 9 less than four times the
    result, and no copy of the features for each displacement.
    """
    batch, _, height, width = first.shape
    d = max_displacement
    pairs = first.flatten(2).transpose(1, 2) @ second.flatten(2)
    padded = functional.pad(pairs.reshape(batch, height, width, height, width), (d, d, d, d)).contiguous()
    s, side = padded.stride(), 2 * d + 1
    # Entry [b, y, x, y + i, x + j]: one step along y (x) moves both cells.
    windows = padded.as_strided((batch, side, side, height, width), (s[0], s[3], s[4], s[1] + s[3], s[2] + s[4]))
    return windows.contiguous()


def transpose_volume(volume: Tensor) -> Tensor:
    """The same entries as seen from the other map; 0 where its windows leave the first.

    Args:
        volume: (B, D, D, H, W).

    Returns:
        (B, D, D, H, W) with [b, i, j, y, x] what `volume` has of cell (y + i - d, x + j - d) of the first map and cell
        (y, x) of the second; gradient flows.
    """
    side, (height, width) = volume.shape[1], volume.shape[-2:]
    d = side // 2
    padded = functional.pad(volume.flip(1, 2), (d, d, d, d)).contiguous()
    s = padded.stride()
    turned = padded.as_strided((len(volume), side, side, height, width), (s[0], s[1] + s[3], s[2] + s[4], s[3], s[4]))
    return turned.contiguous()


def inside(max_displacement: int, height: int, width: int, device: torch.device) -> Tensor:
    """Which entries of a volume concern two cells that exist: (D, D, H, W), bool."""
    ones = torch.ones(1, 1, height, width, device=device)
    return plain_cost_volume(ones, ones, max_displacement)[0] > 0


def gather(weights: Tensor, values: Tensor) -> Tensor:
    """Weighted sums of values over the windows of a volume.

    Args:
        weights: (B, D, D, H, W).
        values: (B, S, H, W) at the cells of the second map.

    Returns:
        (B, S, H, W) at the cells of the first map; gradient flows to both. Takes B S D^2 H W numbers.
    """
    side = weights.shape[1]
    windows = functional.unfold(values, side, padding=side // 2).unflatten(1, (values.shape[1], side * side))
    return torch.einsum('bskp,bkp->bsp', windows, weights.flatten(3).flatten(1, 2)).unflatten(2, values.shape[-2:])


@functools.cache
def operator_for(device: str) -> Operator | None:
    """The compiled operator for a kind of device, or `None` where it is not installed or has no such kernel.

    It is compared with the plain one when it is first asked for: installing a package may not change any numbers.

    Raises:
        UserError: it is installed, but does not import, or computes something else.
    """
    if device not in COMPILED_DEVICES or importlib.util.find_spec(MODULE) is None:
        return None
    advice = f'mend or uninstall it (pip uninstall {MODULE.replace("_", "-")}): it is optional'
    try:
        sample = importlib.import_module(MODULE).spatial_correlation_sample
    except (ImportError, AttributeError, OSError) as error:
        reason = ' '.join(str(error).split())
        raise UserError(f'{MODULE} is installed but cannot be used ({reason}); {advice}') from error

    def compiled(first: Tensor, second: Tensor, max_displacement: int) -> Tensor:
        volume: Tensor = sample(first.contiguous(), second.contiguous(), kernel_size=1,
                                patch_size=2 * max_displacement + 1, stride=1, padding=0, dilation_patch=1)
        return volume
    distance = difference(compiled, torch.device(device))
    if not distance <= TOLERANCE:
        raise UserError(f'{MODULE} differs from its definition by {distance:.2g}; {advice}')
    return compiled


@torch.no_grad()
def difference(operator: Operator, device: torch.device) -> float:
    """Greatest difference of an operator to the plain one on small maps of unit vectors; infinite for a wrong shape."""
    waves = torch.arange(2 * 7 * 5 * 6, device=device, dtype=torch.float32).square().sin().reshape(2, 1, 7, 5, 6)
    first, second = functional.normalize(waves, dim=2)
    expected, found = plain_cost_volume(first, second, 2), operator(first, second, 2)
    return float((expected - found).abs().max()) if found.shape == expected.shape else float('inf')
