"""Activations of the online classifier, with their derivatives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ltr.admin.errors import UserError

KINDS = ('none', 'relu', 'elu', 'mlu')


@dataclass(frozen=True)
class Activation:
    """A function of every element.

    Attributes:
        value: x -> phi(x).
        slope: x -> phi'(x).
    """

    value: Callable[[Tensor], Tensor]
    slope: Callable[[Tensor], Tensor]


def activation(kind: str | tuple[str, float]) -> Activation:
    """The activation of a parameter file.

    Args:
        kind: `'none'`, `'relu'`, `'elu'`, or `('mlu', a)`: s for s >= 0, a (e^(s / a) - 1) below (ATOM, Sec. 3.3);
            `'elu'` is that with a = 1.

    Raises:
        UserError: another name, or an `mlu` without its number.
    """
    name, number = kind if isinstance(kind, (tuple, list)) else (kind, None)
    if name not in KINDS or (name == 'mlu') != (number is not None) or (number is not None and number <= 0):
        raise UserError(f"unknown activation {kind!r} of the tracker atom: take 'none', 'relu', 'elu' or ('mlu', 0.05)")
    if name == 'none':
        return Activation(lambda x: x, torch.ones_like)
    if name == 'relu':
        return Activation(torch.relu, lambda x: (x > 0).to(x.dtype))
    a = 1.0 if number is None else float(number)
    return Activation(lambda x: torch.where(x >= 0, x, a * torch.expm1(x.clamp(max=0) / a)),
                      lambda x: torch.exp(x.clamp(max=0) / a))
