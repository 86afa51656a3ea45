"""What the samples of an epoch draw, and who draws them: both follow from a sample's place in the epoch alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
import torch.utils.data

from ltr.admin import distributed
from ltr.admin.errors import UserError
from ltr.admin.seeding import derive_seed, drawing

Draw = tuple[int, int, Any]
"""Seed of the epoch, place of the sample in the epoch, its index."""


class SeededSamples(torch.utils.data.Dataset[Any]):
    """Samples of a map-style data set, each drawn with generators seeded for its place in the epoch.

    Args:
        source: the data set.
    """

    def __init__(self, source: Any) -> None:
        self.source = source

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, draw: Draw) -> Any:
        seed, place, index = draw
        with drawing(derive_seed(seed, place)):
            return self.source[index]


class SharedBatches:
    """Batches of `Draw`s: of every batch of indices the part that falls to this process.

    Args:
        batches: a batch sampler, the same in all processes.
        generator: whose seed is that of the epoch; None draws one from torch's global generator.
        name: of the loader, for messages.
    """

    def __init__(self, batches: Any, generator: torch.Generator | None, name: str) -> None:
        self.batches, self.generator, self.name = batches, generator, name

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[list[Draw]]:
        given = self.generator
        seed = int(torch.empty((), dtype=torch.int64).random_()) if given is None else given.initial_seed()
        rank, world, place = distributed.rank(), distributed.world(), 0
        for batch in self.batches:
            check_share(self.name, len(batch))
            share = len(batch) // world
            yield [(seed, place + at, batch[at]) for at in range(rank * share, (rank + 1) * share)]
            place += len(batch)


def check_share(name: str, samples: int) -> None:
    """Refuse batches that the processes of this run cannot share equally: means would not be means of all.

    Raises:
        UserError: so it is.
    """
    world = distributed.world()
    if samples % world:
        raise UserError(f'loader {name!r}: a batch of {samples} cannot be shared by {world} processes; give a multiple '
                        f'of {world} with --batch, and drop a smaller last one (drop_last)')
