"""Training curves for tensorboard."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ltr.admin.stats import AverageMeter, StatValue

Stats = Mapping[str, Mapping[str, 'AverageMeter | StatValue'] | None]


class TensorboardWriter:
    """One log a loader, `{folder}/{loader name}`, one point an epoch.

    Without tensorboard nothing is logged, which is said once.

    Args:
        folder: of this run; None logs nothing.
        names: loader names.
    """

    def __init__(self, folder: Path | None, names: Iterable[str]) -> None:
        self.writers: dict[str, Any] = {}
        if folder is None:
            return
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            print(f'notice: no training curves are written ({error}); pip install tensorboard',
                  file=sys.stderr)
            return
        self.writers = {name: SummaryWriter(str(folder / name)) for name in dict.fromkeys(names)}

    def write_epoch(self, stats: Stats, epoch: int) -> None:
        """Write the newest value of every statistic.

        Args:
            stats: of the loaders that ran in this epoch.
            epoch: its number.
        """
        for loader_name, loader_stats in stats.items():
            writer = self.writers.get(loader_name)
            if writer is None or loader_stats is None:
                continue
            for name, value in loader_stats.items():
                if value.history:
                    writer.add_scalar(name, value.history[-1], epoch)
            writer.flush()

    def close(self) -> None:
        """Close the files."""
        for writer in self.writers.values():
            writer.close()
