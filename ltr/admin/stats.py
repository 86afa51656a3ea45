"""Running statistics of a training run. Checkpoints hold these classes by their path; do not move them."""

from __future__ import annotations


class StatValue:
    """A value that is set, not averaged, such as a learning rate.

    Attributes:
        val: the last value.
        history: one value an epoch.
    """

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self.val: float = 0.0
        self.history: list[float] = []

    reset = clear

    def update(self, val: float) -> None:
        """Set the value; it enters the history at once."""
        self.val = float(val)
        self.history.append(self.val)


class AverageMeter:
    """Mean of a value over an epoch, weighted by batch size, and its history.

    Attributes:
        val: the last value.
        avg: mean since `reset`.
        history: the mean of each finished epoch that had data.
        has_new_data: there is data since the last `new_epoch`.
    """

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self.reset()
        self.history: list[float] = []
        self.has_new_data = False

    def reset(self) -> None:
        """Begin a new mean; the history stays."""
        self.val: float = 0.0
        self.avg: float = 0.0
        self.sum: float = 0.0
        self.count: float = 0

    def update(self, val: float, n: float = 1) -> None:
        """Add `val` with weight `n`."""
        self.val = float(val)
        self.sum += self.val * n
        self.count += n
        self.avg = self.sum / self.count
        self.has_new_data = True

    def new_epoch(self) -> None:
        """Close the epoch: its mean enters the history if there was data."""
        if self.has_new_data:
            self.history.append(self.avg)
        self.reset()
        self.has_new_data = False
