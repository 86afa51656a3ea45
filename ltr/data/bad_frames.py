"""Book-keeping of frames that could not be used: one bad file must not stop a training, many must."""

from __future__ import annotations

import logging
import zlib
from collections import deque

import torch
import torch.utils.data

from ltr.admin.errors import UserError
from ltr.data.image_loader import BadFrameError

WINDOW = 50
SLOTS = 2 ** 20
MAX_WORKERS = 1024

_log = logging.getLogger(__name__)


class BadFrameCounter:
    """Counts failed draws over all worker processes, warns once a file, and gives up when most draws fail.

    The counts lie in shared memory, so the main process sees what its workers skipped, and a new epoch's workers
    know which files were named before. Whether most draws fail, every process finds out for itself.
    """

    def __init__(self) -> None:
        # One number a process: nobody adds to a number that another process is adding to.
        self._failures = torch.zeros(MAX_WORKERS, dtype=torch.int64).share_memory_()
        # A file is one slot, by the checksum of its path: of many bad files, two may rarely count as one.
        self._files = torch.zeros(SLOTS, dtype=torch.bool).share_memory_()
        self._recent: deque[bool] = deque(maxlen=WINDOW)

    @property
    def failures(self) -> int:
        """Number of failed draws so far, worker processes included."""
        return int(self._failures.sum())

    @property
    def files(self) -> int:
        """Number of files at fault so far, worker processes included."""
        return int(self._files.sum())

    def summary(self) -> str:
        """One line on what was skipped so far; empty where nothing was."""
        if not self.failures:
            return ''
        return f'skipped: {self.failures} draws because of {self.files} files that could not be used'

    def good(self) -> None:
        """Note a draw that worked."""
        self._recent.append(False)

    def bad(self, error: BadFrameError) -> None:
        """Note a failed draw.

        Raises:
            UserError: more than half of the last 50 draws failed.
        """
        worker = torch.utils.data.get_worker_info()
        self._failures[0 if worker is None else 1 + worker.id % (MAX_WORKERS - 1)] += 1
        self._recent.append(True)
        slot = zlib.crc32(error.path.encode(errors='surrogateescape')) % SLOTS
        if not self._files[slot]:
            self._files[slot] = True
            _log.warning('skipped: %s', error)
        if sum(self._recent) > WINDOW // 2:
            raise UserError(f'{sum(self._recent)} of the last {len(self._recent)} training samples could not '
                            f'be read; check the data, the last one: {error}') from error
