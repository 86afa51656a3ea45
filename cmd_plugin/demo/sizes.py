"""How large the demo is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Size:
    """Numbers of one run.

    Attributes:
        videos, video_length: labelled RGB sequences that the parent learns from.
        pairs: unlabelled pairs.
        tests, test_length: sequences of each test set.
        parent_epochs, parent_samples: training of the parent.
        steps_epochs, steps_samples, batch: training of control and d3; batch counts pairs.
        rates: of control and d3 by component, as CMD_LR; the paper's are made for 260,000 steps.
    """

    videos: int
    video_length: int
    pairs: int
    tests: int
    test_length: int
    parent_epochs: int
    parent_samples: int
    steps_epochs: int
    steps_samples: int
    batch: int
    rates: str


SIZES = {
    'demo': Size(videos=240, video_length=20, pairs=400, tests=48, test_length=40, parent_epochs=20,
                 parent_samples=1200, steps_epochs=4, steps_samples=500, batch=5, rates='tcl=1e-4,bbe=1e-6'),
    'test': Size(videos=4, video_length=20, pairs=8, tests=2, test_length=6, parent_epochs=1, parent_samples=32,
                 steps_epochs=1, steps_samples=10, batch=5, rates='tcl=1e-4,bbe=1e-6'),
}
