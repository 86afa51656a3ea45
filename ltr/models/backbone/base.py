"""What every feature extractor shares: freezing of named children."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn


class Backbone(nn.Module):
    """Feature extractor with frozen layers.

    Args:
        frozen_layers: names of children, or `'all'`, or `'none'`. Their batch-norm statistics never change in
            training mode, and from the first call of `train()` their parameters require no gradient. Freezing never
            goes away afterwards.
    """

    def __init__(self, frozen_layers: str | Sequence[str] = ()) -> None:
        super().__init__()
        if isinstance(frozen_layers, str) and frozen_layers not in ('all', 'none'):
            raise ValueError(f"frozen_layers must be 'all', 'none' or a list of names, not {frozen_layers!r}")
        self.frozen_layers: str | tuple[str, ...] = (frozen_layers if isinstance(frozen_layers, str)
                                                     else tuple(frozen_layers))
        self._gradients_stopped = False

    def _frozen_modules(self) -> list[nn.Module]:
        if self.frozen_layers == 'all':
            return list(self.children())
        if self.frozen_layers == 'none':
            return []
        return [getattr(self, name) for name in self.frozen_layers]

    def train(self, mode: bool = True) -> Backbone:
        super().train(mode)
        for module in self._frozen_modules():
            module.eval()
            if not self._gradients_stopped:
                module.requires_grad_(False)
        self._gradients_stopped = True
        return self
