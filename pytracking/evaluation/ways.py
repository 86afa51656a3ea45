"""How the sequences of a run are worked through: one by one, together, in processes, or on many machines."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from ltr.admin.errors import UserError
from pytracking.evaluation.job import Job, track
from pytracking.evaluation.lockstep import in_lockstep
from pytracking.evaluation.pool import OnFrames, Results, in_processes

if TYPE_CHECKING:
    from pytracking.visualization.visualizer import Visualizer


@dataclass(frozen=True)
class Way:
    """What `run_dataset` was told about it; see there.

    Raises:
        UserError: numbers that are none, or wishes that exclude each other.
    """

    threads: int = 0
    ray: str | None = None
    batch_sequences: int = 1
    debug: int | bool = False
    live: bool = False

    def __post_init__(self) -> None:
        if self.threads < 0:
            raise UserError(f'the number of worker processes must not be negative, got {self.threads}')
        if self.batch_sequences < 1:
            raise UserError(f'the number of sequences in a batch must be at least 1, got {self.batch_sequences}')
        if self.several and self.together:
            raise UserError('sequences pass the network together in one process: leave out --threads and --ray, or '
                            '--batch-sequences')
        if (self.several or self.together) and self.live:
            raise UserError('the live view shows one sequence at a time: leave out --threads, --ray and '
                            '--batch-sequences, or --use_visdom')

    @property
    def several(self) -> bool:
        """Whether other processes may do the work."""
        return (self.threads > 0 or self.ray is not None) and not self.debug

    @property
    def together(self) -> bool:
        """Whether several sequences are tracked in lock-step."""
        return self.batch_sequences > 1 and not self.debug

    def queue(self, jobs: list[Job]) -> deque[Job]:
        """The jobs in the order in which they begin: where several run at a time, the longest first."""
        return deque(sorted(jobs, key=lambda job: -len(job.sequence.frames)) if self.several or self.together else jobs)

    def results(self, queue: deque[Job], on_frames: OnFrames, visualizer: Visualizer | None) -> Results:
        """Work through the queue, into which the consumer may put jobs back.

        Args:
            queue: from left to right.
            on_frames: called with a job and the number of its frames that were tracked since.
            visualizer: shown every frame, where they run one by one.

        Returns:
            Each job with its result, in the order in which they come; to be closed.
        """
        if self.several and self.ray is not None:
            from pytracking.evaluation.ray_pool import on_ray
            return on_ray(queue, self.ray, self.threads, on_frames)
        if self.several and len(queue) > 1:
            return in_processes(queue, min(self.threads, len(queue)), on_frames)
        if self.together:
            return in_lockstep(queue, self.batch_sequences, on_frames)
        return self._one_by_one(queue, on_frames, visualizer)

    def _one_by_one(self, queue: deque[Job], on_frames: OnFrames, visualizer: Visualizer | None) -> Results:
        while queue:
            job = queue.popleft()
            yield job, track(job, self.debug, partial(on_frames, job), visualizer)
