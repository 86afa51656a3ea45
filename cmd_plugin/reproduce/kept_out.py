"""Which labelled RGB sequences the parent never sees: whole videos, not sequences."""

from __future__ import annotations

from collections.abc import Iterable

from cmd_plugin.errors import UserError

KEPT_OUT = ('bag', 'David', 'davis_parkour', 'davis_camel', 'tlp_Drone1', 'otb_Human3', 'uav123_person12_1',
            'dtb70_Gull2')
SAME_VIDEO = {'otb_jogging2': 'otb_jogging1'}
"""Two targets of one video count as one."""


def video_of(name: str) -> str:
    """The video that a sequence is a part of."""
    last = name.replace('\\', '/').rpartition('/')[2]
    return SAME_VIDEO.get(last, last)


def divide(names: Iterable[str], kept: Iterable[str] = KEPT_OUT) -> tuple[list[str], list[str]]:
    """Sequences to learn from, and sequences of kept-out videos.

    Raises:
        UserError: one of the two is empty.
    """
    videos = {video_of(name) for name in kept}
    names = list(names)
    out = [name for name in names if video_of(name) in videos]
    learned = [name for name in names if video_of(name) not in videos]
    if not out or not learned:
        raise UserError(f'of {len(names)} labelled RGB sequences {len(out)} are kept out and {len(learned)} are left '
                        f'to learn from: both are needed; kept out are {", ".join(KEPT_OUT)}')
    return learned, out
