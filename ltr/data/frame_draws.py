"""Which frames of a sequence make one training sample ("DiMP", Sec. 3.5).

All draws are uniform, with replacement, over the visible frames of a half-open range, from Python's `random`.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from ltr.admin.errors import UserError

MODES = ('causal', 'interval', 'consecutive')
GAP_STEP = 5
MAX_TRIES = 1000


def draw_visible(visible: Sequence[bool], count: int, low: int, high: int) -> list[int] | None:
    """Draw visible frame ids from [low, high).

    Args:
        visible: one flag a frame.
        count: how many; 0 gives an empty list.
        low: clipped to 0.
        high: clipped to the number of frames.

    Returns:
        `count` ids, perhaps repeated, or None where no frame of the range is visible.
    """
    if count == 0:
        return []
    candidates = [i for i in range(max(low, 0), min(high, len(visible))) if visible[i]]
    return random.choices(candidates, k=count) if candidates else None


def runs(visible: Sequence[bool], length: int) -> list[int]:
    """First ids of all runs of `length` visible frames that follow one another."""
    starts, seen = [], 0
    for frame, shown in enumerate(visible):
        seen = seen + 1 if shown else 0
        if seen >= length:
            starts.append(frame - length + 1)
    return starts


def draw_frames(visible: Sequence[bool], num_train: int, num_test: int, max_gap: int,
                mode: str) -> tuple[list[int], list[int]]:
    """Draw the train and test frame ids of one sample.

    With base frame b and gap G: 'causal' takes b from [num_train - 1, len - num_test), the other train frames
    from [b - G, b), the test frames from [b + 1, b + G); 'interval' takes b from anywhere and both from [b -
    G, b + G). Each failure widens G by 5 and draws everything again. 'consecutive' takes b from the starts of the
    runs of num_test visible frames, which are the test frames, b among them, and the other train frames from
    [b - G, b + 1).

    Args:
        visible: one flag a frame.
        num_train: number of train frames, at least 1.
        num_test: number of test frames.
        max_gap: first G, frames.
        mode: 'causal', 'interval' or 'consecutive'.

    Returns:
        Train ids, base frame first, and test ids.

    Raises:
        UserError: no frame can be the base frame, or no gap ever suffices.
    """
    if mode not in MODES:
        raise ValueError(f'frame_sample_mode {mode!r} is none of {MODES}')
    if mode == 'consecutive':
        return _draw_run(visible, num_train, num_test, max_gap)
    causal = mode == 'causal'
    base_range = (num_train - 1, len(visible) - num_test) if causal else (0, len(visible))
    for attempt in range(MAX_TRIES):
        gap = max_gap + GAP_STEP * attempt
        base = draw_visible(visible, 1, *base_range)
        if base is None:
            break
        b = base[0]
        others = draw_visible(visible, num_train - 1, b - gap, b if causal else b + gap)
        if others is None:
            continue
        tests = draw_visible(visible, num_test, b + 1 if causal else b - gap, b + gap)
        if tests is not None:
            return base + others, tests
    raise UserError(_nothing(visible, num_train, num_test, mode))


def _draw_run(visible: Sequence[bool], num_train: int, num_test: int, max_gap: int) -> tuple[list[int], list[int]]:
    """Mode 'consecutive' of `draw_frames`."""
    starts = runs(visible, num_test)
    if not starts:
        raise UserError(_nothing(visible, num_train, num_test, 'consecutive'))
    base = random.choice(starts)
    others = draw_visible(visible, num_train - 1, base - max_gap, base + 1) or []
    return [base, *others], list(range(base, base + num_test))


def _nothing(visible: Sequence[bool], num_train: int, num_test: int, mode: str) -> str:
    return (f'{num_train} train and {num_test} test frames ({mode}) cannot be drawn from a sequence '
            f'of {len(visible)} frames, {sum(visible)} of them visible; leave it out')
