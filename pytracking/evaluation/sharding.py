"""Parts of a list of sequences, for machines that do not know of each other."""

from __future__ import annotations

import re

from ltr.admin.errors import UserError
from pytracking.evaluation.data import SequenceList


def parse_shard(text: str) -> tuple[int, int]:
    """`'2/8'` -> (2, 8), the second of eight parts.

    Raises:
        UserError: not of this form, or not within 1/n .. n/n.
    """
    match = re.fullmatch(r'\s*(\d+)\s*/\s*(\d+)\s*', text)
    if not match or not 1 <= int(match[1]) <= int(match[2]):
        raise UserError(f'--shard {text!r} is not a part such as 1/4, 2/4, 3/4 or 4/4')
    return int(match[1]), int(match[2])


def shard(sequences: SequenceList, part: int, parts: int) -> SequenceList:
    """One of `parts` lists with about equally many frames.

    The parts depend on names and lengths alone, not on the order; no two share a sequence, and together they are all.
    Within a part, the order of the list is kept.

    Args:
        sequences: the same on all machines.
        part: from 1.
        parts: how many there are.
    """
    loads, mine = [0] * parts, set()
    # The longest first, each to the part that has the least so far.
    for sequence in sorted(sequences, key=lambda item: (-len(item.frames), item.name)):
        least = loads.index(min(loads))
        # A sequence costs its start, too, and those without frames must not all go to one part.
        loads[least] += len(sequence.frames) + 1
        if least == part - 1:
            mine.add(sequence.name)
    return SequenceList((item for item in sequences if item.name in mine), sequences.protocol)
