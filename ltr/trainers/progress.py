"""What a user sees while a loader is worked through."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tqdm import tqdm

from ltr.admin import distributed
from ltr.admin.stats import AverageMeter, StatValue


class Progress:
    """A bar with time left, losses and waiting time on a terminal, a line now and then elsewhere.

    Of several processes the first shows the bar, and prints (see `distributed.session`).

    Args:
        loader: what is iterated; has `name` and a length.
        epoch: number of the epoch.
        print_interval: steps between two lines where stderr is no terminal; 0 or None prints none.
        print_stats: names to show; None for all.
    """

    def __init__(self, loader: Any, epoch: int, print_interval: int | None,
                 print_stats: Iterable[str] | None) -> None:
        self.loader = loader
        self.label = f'{loader.name} {epoch}'
        self.interval = int(print_interval or 0)
        self.shown = None if print_stats is None else set(print_stats)
        self.total = len(loader)
        self.bar: Any = None

    def __iter__(self) -> Iterator[Any]:
        self.started = time.monotonic()
        self.waited = 0.0
        self.done = 0
        shown = sys.stderr.isatty() and distributed.rank() == 0
        with tqdm(self._timed(), desc=self.label, total=self.total, disable=not shown, file=sys.stderr) as self.bar:
            yield from self.bar

    def _timed(self) -> Iterator[Any]:
        """The batches; counts the time until each is there."""
        batches, end = iter(self.loader), object()
        while True:
            before = time.monotonic()
            batch = next(batches, end)
            self.waited += time.monotonic() - before
            if batch is end:
                return
            yield batch

    @property
    def wait_share(self) -> float:
        """Share of the time so far that was spent waiting for the loader, in [0, 1]."""
        return self.waited / max(time.monotonic() - self.started, 1e-9)

    def update(self, stats: Mapping[str, AverageMeter | StatValue]) -> None:
        """Show the means of the epoch so far, after a step."""
        self.done += 1
        values = {name: value.avg for name, value in stats.items()
                  if isinstance(value, AverageMeter) and (self.shown is None or name in self.shown)}
        if not self.bar.disable:
            shown = {name: f'{value:.4g}' for name, value in values.items()}
            self.bar.set_postfix({**shown, 'loader': f'{self.wait_share:.0%}'}, refresh=False)
        elif self.interval and (self.done % self.interval == 0 or self.done == self.total):
            rate = (time.monotonic() - self.started) / self.done
            numbers = ', '.join(f'{name} {value:.5g}' for name, value in values.items())
            print(f'[{self.label}: {self.done}/{self.total}] {numbers}, {1 / max(rate, 1e-9):.1f} steps/s, '
                  f'{self.wait_share:.0%} waiting for the loader, '
                  f'{tqdm.format_interval((self.total - self.done) * rate)} left', flush=True)
