"""Decoded pairs kept in files, so that an image that is drawn again is not decoded again.

One file a pair, mapped into memory: all loader processes, and later runs, share what the system keeps of it, and a crop
reads the pages of its window alone.
"""

from __future__ import annotations

import hashlib
import logging
import os
from pathlib import Path

import numpy as np
import torch
import torch.utils.data
from numpy.typing import NDArray

from cmd_plugin.data.sampler import PairSource
from cmd_plugin.data.wrapped import WrappedPairs
from cmd_plugin.errors import UserError

logger = logging.getLogger(__name__)
VERSION = 1
HEADER = 7
"""Numbers (int64) before the pixels: version, height, width, then size and time of change of the RGB and TIR file."""
MAX_PROCESSES = 1024
CHANNELS = 6


class CachedPairs(WrappedPairs):
    """Pairs whose decoded images are kept in a folder, up to a number of bytes.

    Once it is full, nothing is added and nothing goes: pairs are drawn uniformly, so that no other choice would serve
    better. A pair whose files have another size or time of change than when it was kept is read anew.

    Args:
        pairs: where they come from; needs `paths(index)`.
        folder: of the files; made here.
        megabytes: most that lies in the folder, of all data sets and runs that use it.

    Raises:
        UserError: the folder cannot be made.
    """

    def __init__(self, pairs: PairSource, folder: Path, megabytes: int) -> None:
        super().__init__(pairs)
        self.folder, self.megabytes = folder, megabytes
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f'cannot write into {folder}: {error.strerror}; choose another --workspace, or leave '
                            'CMD_CACHE_MB out') from error
        self.found = sum(entry.stat().st_size for part in os.scandir(folder) if part.is_dir()
                         for entry in os.scandir(part))
        # Of several processes (torchrun) each adds its part.
        self._room = max(megabytes * 10 ** 6 - self.found, 0) // int(os.environ.get('WORLD_SIZE', 1))
        # One number a worker, in shared memory: nobody adds to a number that another process is adding to.
        self._added = torch.zeros(MAX_PROCESSES, dtype=torch.int64).share_memory_()
        self._failed = False

    def read(self, index: int) -> NDArray[np.uint8]:
        """Pair as uint8 `(H, W, 6)`, read-only where it comes from the cache; raises as the pairs do."""
        paths = self.paths(index)
        stamps = _stamps(paths)
        name = hashlib.sha256('\n'.join(str(path.absolute()) for path in paths).encode(errors='surrogateescape'))
        path = self.folder / name.hexdigest()[:2] / name.hexdigest()[2:34]
        if stamps is not None:
            kept = _kept(path, stamps)
            if kept is not None:
                return kept
        pair = self.pairs.read(index)
        if stamps is not None and stamps == _stamps(paths):  # else the files are just being written
            self._keep(path, stamps, pair)
        return pair

    def summary(self) -> str:
        """One line on what the cache holds at the start."""
        return (f'decoded pairs: {self.found / 1e6:.0f} of {self.megabytes} MB in {self.folder} (remove it to start '
                'anew)')

    def _keep(self, path: Path, stamps: list[int], pair: NDArray[np.uint8]) -> None:
        size = 8 * HEADER + pair.nbytes
        if self._failed or int(self._added.sum()) + size > self._room:
            return
        # A name of its own: two processes may read the same pair at the same time.
        temporary = path.with_name(f'{path.name}.{os.getpid()}.tmp')
        try:
            path.parent.mkdir(exist_ok=True)
            before = path.stat().st_size if path.exists() else 0
            with open(temporary, 'wb') as file:
                file.write(np.array([VERSION, *pair.shape[:2], *stamps], np.int64).tobytes())
                file.write(np.ascontiguousarray(pair).data)
                file.flush()
                os.fsync(file.fileno())  # else a crash of the system may leave a name without its pixels
            os.replace(temporary, path)
        except OSError as error:
            self._failed = True
            logger.warning('no more decoded pairs are kept: cannot write %s (%s)', path, error.strerror or error)
            temporary.unlink(missing_ok=True)
            return
        worker = torch.utils.data.get_worker_info()
        self._added[0 if worker is None else 1 + worker.id % (MAX_PROCESSES - 1)] += size - before


def _stamps(paths: tuple[Path, Path]) -> list[int] | None:
    """Size and time of change (ns) of both files; `None` where one is missing, which reading it will tell."""
    try:
        stats = [os.stat(path) for path in paths]
    except OSError:
        return None
    return [number for stat in stats for number in (stat.st_size, stat.st_mtime_ns)]


def _kept(path: Path, stamps: list[int]) -> NDArray[np.uint8] | None:
    """The pixels of a file, if there is one, whole, and of these stamps."""
    try:
        data = np.memmap(path, np.uint8, 'r')
    except (OSError, ValueError):  # none, or empty
        return None
    start = 8 * HEADER
    if len(data) < start:
        return None
    version, height, width, *found = data[:start].view(np.int64).tolist()
    if version != VERSION or found != stamps or len(data) != start + height * width * CHANNELS:
        return None
    return np.asarray(data[start:]).reshape(height, width, CHANNELS)
