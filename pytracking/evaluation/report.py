"""What became of the sequences of a run, for the terminal and for programs."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Outcome:
    """What became of one sequence: `status` is 'done', 'skipped' (was finished) or 'failed'."""

    tracker: str
    sequence: str
    status: str
    frames: int = 0
    seconds: float = 0.0
    message: str = ''

    def line(self) -> str:
        """One line for the terminal."""
        if self.status == 'failed':
            return f'{self.tracker}, {self.sequence}: {self.message}'
        speed = f'{self.frames / self.seconds:.1f} frames/s' if self.seconds > 0 else '-'
        note = f' ({self.message})' if self.message else ''
        return f'{self.tracker}, {self.sequence}: {self.frames} frames, {speed}{note}'


@dataclass
class RunReport:
    """Outcomes of a run: first what was finished before, then in the order in which they came."""

    outcomes: list[Outcome] = field(default_factory=list)

    def count(self, status: str) -> int:
        """Number of sequences with this status."""
        return sum(outcome.status == status for outcome in self.outcomes)

    @property
    def failures(self) -> list[Outcome]:
        """The failed ones."""
        return [outcome for outcome in self.outcomes if outcome.status == 'failed']

    def print_summary(self) -> None:
        """Counts on stdout, then one line a failure on stderr."""
        print(f'{self.count("done")} sequences run, {self.count("skipped")} were finished before, '
              f'{self.count("failed")} failed', flush=True)
        for outcome in self.failures:
            print(f'failed: {outcome.line()}', file=sys.stderr)
        if self.failures:
            print('the same command runs what failed again, and nothing else', file=sys.stderr)
