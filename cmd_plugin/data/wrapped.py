"""Pairs that are read in another way, and are otherwise those that they were."""

from __future__ import annotations

from pathlib import Path

from cmd_plugin.data.sampler import PairSource


class WrappedPairs:
    """Length and names of the pairs; derived classes bring `read`.

    Args:
        pairs: where they come from.
    """

    def __init__(self, pairs: PairSource) -> None:
        self.pairs = pairs

    def __len__(self) -> int:
        return len(self.pairs)

    def describe(self, index: int) -> str:
        """Name of the pair for messages."""
        return self.pairs.describe(index)

    def paths(self, index: int) -> tuple[Path, Path]:
        """RGB and TIR file of a pair, where the pairs tell."""
        return self.pairs.paths(index)  # type: ignore[attr-defined]

    def get_name(self) -> str:
        """Name of the data set."""
        return self.pairs.get_name()
