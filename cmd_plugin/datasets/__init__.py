"""Evaluation sets of thermal and of RGB-thermal video that the plugin adds to the tracker registry.

The root is given with `--data DIR`, or by PYTRACKING_<NAME>_PATH (PYTRACKING_LSOTB_TIR_PATH, PYTRACKING_RGBT234_PATH
...), as a folder or as a file that lists some of its sequences. The names of sequences come from the folder. A set of
two modalities is tracked in one of them: `rgbt234` is its thermal channel, `rgbt234_rgb` its visible one.
"""

from cmd_plugin.datasets.rgbt import (
    gtot,
    gtot_rgb,
    lasher,
    lasher_rgb,
    rgbt210,
    rgbt210_rgb,
    rgbt234,
    rgbt234_rgb,
)
from cmd_plugin.datasets.thermal import lsotb_tir, ptb_tir

__all__ = ['gtot', 'gtot_rgb', 'lasher', 'lasher_rgb', 'lsotb_tir', 'ptb_tir', 'rgbt210', 'rgbt210_rgb', 'rgbt234',
           'rgbt234_rgb']
