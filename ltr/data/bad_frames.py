"""Book-keeping of frames that could not be used: one bad file must not stop a training, many must."""

from __future__ import annotations

import logging
from collections import deque

from ltr.admin.errors import UserError
from ltr.data.image_loader import BadFrameError

WINDOW = 50

_log = logging.getLogger(__name__)


class BadFrameCounter:
    """Counts failed draws, warns once a file, and gives up when most draws fail.

    Every worker process of a loader counts for itself.

    Attributes:
        failures: number of failed draws so far.
        files: paths at fault.
    """

    def __init__(self) -> None:
        self.failures = 0
        self.files: set[str] = set()
        self._recent: deque[bool] = deque(maxlen=WINDOW)

    def good(self) -> None:
        """Note a draw that worked."""
        self._recent.append(False)

    def bad(self, error: BadFrameError) -> None:
        """Note a failed draw.

        Raises:
            UserError: more than half of the last 50 draws failed.
        """
        self.failures += 1
        self._recent.append(True)
        if error.path not in self.files:
            self.files.add(error.path)
            _log.warning('skipped: %s', error)
        if sum(self._recent) > WINDOW // 2:
            raise UserError(f'{sum(self._recent)} of the last {len(self._recent)} training samples could not '
                            f'be read; check the data, the last one: {error}') from error
