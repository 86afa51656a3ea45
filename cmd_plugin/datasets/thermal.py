"""LSOTB-TIR and PTB-TIR: `<root>/<seq>/img/*` + `<root>/<seq>/groundtruth_rect.txt`, and attributes by sequence.

Attributes come from the benchmark's own toolkit: `anno/att/<seq>.txt`, one line of 0 and 1. Put `anno` in or beside
the root, or set PYTRACKING_LSOTB_TIR_ATTRIBUTES_PATH (PYTRACKING_PTB_TIR_ATTRIBUTES_PATH) to the folder of the files.
"""

from __future__ import annotations

from pathlib import Path

from pytracking.evaluation.folderdataset import FolderDataset

# In the order of the columns; the last four tell how the video was taken. Words as in the paper, Table 2.
LSOTB_ATTRIBUTES = (
    'Deformation', 'Occlusion', 'Distractor', 'Background clutter', 'Out of view', 'Scale variation', 'Fast motion',
    'Motion blur', 'Thermal crossover', 'Intensity variation', 'Low resolution', 'Aspect ratio variation',
    'Vehicle-mounted', 'Drone-mounted', 'Surveillance', 'Hand-held')
PTB_ATTRIBUTES = (
    'Deformation', 'Occlusion', 'Scale variation', 'Background clutter', 'Low resolution', 'Fast motion',
    'Motion blur', 'Out of view', 'Intensity variation', 'Thermal crossover')


def lsotb_tir(root: Path | None = None) -> FolderDataset:
    """LSOTB-TIR: 120 sequences, 16 attributes, protocol `lsotb`."""
    return FolderDataset(root, 'lsotb_tir', 'lsotb', attribute_names=LSOTB_ATTRIBUTES)


def ptb_tir(root: Path | None = None) -> FolderDataset:
    """PTB-TIR: 60 sequences, 10 attributes, protocol `ptb`."""
    return FolderDataset(root, 'ptb_tir', 'ptb', attribute_names=PTB_ATTRIBUTES)
