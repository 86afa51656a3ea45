"""Evaluation sets of thermal video that the plugin adds to the tracker registry.

Both lie on disk as `<root>/<seq>/img/*` + `<root>/<seq>/groundtruth_rect.txt`; the names come from the folder. The root
is given with `--data DIR`, or by PYTRACKING_LSOTB_TIR_PATH and PYTRACKING_PTB_TIR_PATH.
"""

from __future__ import annotations

from pathlib import Path

from pytracking.evaluation.folderdataset import FolderDataset


def lsotb_tir(root: Path | None = None) -> FolderDataset:
    """LSOTB-TIR: 120 sequences, protocol `lsotb`."""
    return FolderDataset(root, 'lsotb_tir', 'lsotb')


def ptb_tir(root: Path | None = None) -> FolderDataset:
    """PTB-TIR: 60 sequences, protocol `ptb`."""
    return FolderDataset(root, 'ptb_tir', 'ptb')
