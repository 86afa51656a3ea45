"""What a user sees while sequences are tracked, in one process or in many."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any

from tqdm import tqdm

from pytracking.evaluation.job import Job
from pytracking.evaluation.report import Outcome


class RunProgress:
    """A bar over all frames with frames/s and time left on a terminal; elsewhere these stand behind each sequence.

    Args:
        jobs: everything that is to be tracked. Frames of a failed attempt do not count.
    """

    def __init__(self, jobs: list[Job]) -> None:
        self.sequences, self.ended = len(jobs), 0
        self.frames, self.total = 0, sum(len(job.sequence.frames) for job in jobs)
        self.of_job: dict[tuple[str, str], int] = {}
        self.started = time.monotonic()
        # Several processes report in bursts: a long memory keeps the time left steady.
        self.bar: Any = tqdm(total=self.total, unit=' frames', disable=None, smoothing=0.02)

    def add(self, job: Job, frames: int) -> None:
        """Count frames of a running job."""
        self.of_job[job.key] = self.of_job.get(job.key, 0) + frames
        self.frames += frames
        self.bar.update(frames)

    def again(self, job: Job, message: str) -> None:
        """A failed attempt, to be repeated."""
        self.add(job, -self.of_job.get(job.key, 0))
        self._print(f'{job.tracker.label}, {job.sequence.name}: {message}; will be tried again', sys.stderr)

    def end(self, job: Job, outcome: Outcome) -> None:
        """A job is done, or has failed for good."""
        self.ended += 1
        length = len(job.sequence.frames)
        if outcome.status == 'done':
            self.add(job, length - self.of_job.get(job.key, 0))
            self._print(outcome.line() + self._where(), sys.stdout)
        else:
            self.add(job, -self.of_job.get(job.key, 0))
            self.total -= length
            self.bar.total = self.total
            self.bar.refresh()

    def _where(self) -> str:
        if not self.bar.disable:
            self.bar.set_postfix_str(f'{self.ended}/{self.sequences} sequences', refresh=False)
            return ''
        rate = self.frames / max(time.monotonic() - self.started, 1e-9)
        left = tqdm.format_interval((self.total - self.frames) / rate) if rate > 0 else '?'
        return f' [{self.ended}/{self.sequences}, {rate:.1f} frames/s, {left} left]'

    def _print(self, line: str, file: Any) -> None:
        tqdm.write(line, file=file)
        file.flush()

    def __enter__(self) -> RunProgress:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.bar.close()
