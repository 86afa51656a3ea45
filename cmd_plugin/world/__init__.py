"""A generated RGB-TIR world, deterministic by seed: the data that the project runs on when none is given.

The thermal view is made from temperatures of its own, never from colours; both views share one geometry.
`render` gives a labelled clip; `write_video` and `write_pairs` put worlds on disk as real data is laid out.
"""

from __future__ import annotations

from .render import SIZE, Clip, render
from .sheet import contact_sheet
from .write import write_pairs, write_video

__all__ = ['SIZE', 'Clip', 'contact_sheet', 'render', 'write_pairs', 'write_video']
