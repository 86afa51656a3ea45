"""The pairs: which belong to training and which to selection, apart by clip."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cmd_plugin.data.paired import PairedDataset
from cmd_plugin.errors import UserError

CLIP_SETS = ('m3svd', 'vtuav')
"""Sets of consecutive frames, by how their folders begin; the others are single pictures."""
MISALIGNED = ('tno',)
"""Sets whose halves are several pixels apart: a pseudo box would not hold for both."""


class SomePairs:
    """Some pairs of a data set, in the order of `chosen`; a `PairSource` with paths."""

    def __init__(self, pairs: PairedDataset, chosen: Sequence[int]) -> None:
        self.pairs, self.chosen = pairs, list(chosen)

    def __len__(self) -> int:
        return len(self.chosen)

    def read(self, index: int) -> NDArray[np.uint8]:
        """Pair as uint8 `(H, W, 6)`, RGB | TIR three times. Raises as `PairedDataset.read`."""
        return self.pairs.read(self.chosen[index])

    def describe(self, index: int) -> str:
        """Name of the pair for messages."""
        return self.pairs.describe(self.chosen[index])

    def paths(self, index: int) -> tuple[Path, Path]:
        """RGB and TIR file of a pair."""
        return self.pairs.paths(self.chosen[index])

    def get_name(self) -> str:
        """Name of the data set."""
        return self.pairs.get_name()


def clip_of(path: Path, root: Path) -> str | None:
    """The clip that an RGB file is a frame of, `SET/CLIP`; `None` where its set is no video."""
    folder = path.relative_to(root).parts[0]
    if not folder.startswith(CLIP_SETS):
        return None
    return f'{folder}/{path.stem.rpartition("_")[0] or "all"}'


def divide_pairs(root: Path) -> tuple[SomePairs, dict[str, SomePairs]]:
    """Pairs to train on, and the selection clips by name.

    Of the clips of a set every second one is for selection, the first included; all that is no video is for training,
    but for sets whose halves are not aligned, which are left out.

    Args:
        root: folder of the sets.

    Raises:
        UserError: no pairs, no clip, or nothing left to train on.
    """
    pairs = PairedDataset(root)
    clips: dict[str | None, list[int]] = {}
    for index in range(len(pairs)):
        path = pairs.paths(index)[0]
        if not path.relative_to(root).parts[0].startswith(MISALIGNED):
            clips.setdefault(clip_of(path, root), []).append(index)
    names = sorted(name for name in clips if name is not None)
    by_set: dict[str, list[str]] = {}
    for name in names:
        by_set.setdefault(name.partition('/')[0], []).append(name)
    chosen = {name for group in by_set.values() for name in group[::2]}
    rest = sorted(index for name, indices in clips.items() if name not in chosen for index in indices)
    if not chosen or not rest:
        raise UserError(f'{root} has {len(chosen)} clips for selection and {len(rest)} pairs for training: both are '
                        f'needed; clips are the sets called {"..., ".join(CLIP_SETS)}...')
    return SomePairs(pairs, rest), {name: SomePairs(pairs, clips[name]) for name in sorted(chosen)}
