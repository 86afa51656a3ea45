"""The demo from end to end."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cmd_plugin.demo import steps
from cmd_plugin.demo.pictures import strip
from cmd_plugin.demo.sizes import SIZES, Size
from pytracking.analysis import format_table, results_table, save_plot
from pytracking.analysis.extract_results import TrackerResult

LABELS = {'parent': 'parent', 'control': 'parent + RGB-RGB (control)', 'd3': 'parent + RGB-TIR (d3)'}
NEXT = """on your own data:
  python ltr/run_training.py cmd_dimp d3 --init dimp50.pth.tar --data PAIRS     PAIRS/visible/* + PAIRS/infrared/*
  python pytracking/run_tracker.py cmd_dimp default --dataset lsotb_tir --data LSOTB-TIR
  python -m cmd_plugin doctor                                                   what is here, and what is missing"""


def run(out: Path, seeds: Sequence[int], size_name: str = 'demo') -> None:
    """Run the demo for every seed, print its table, and save a plot and a picture strip.

    Args:
        out: folder for worlds, networks, results and pictures; what is finished there is not done again.
        seeds: of world and training; with several, mean and spread are printed as well.
        size_name: `demo`, or `test` for a few steps without meaning.
    """
    start = time.monotonic()
    size = SIZES[size_name]
    out = out.resolve() / size_name
    number = size.steps_epochs * size.steps_samples // size.batch
    print(f'distillation takes {number} steps at rates {size.rates}; the paper takes 260,000 at tcl=2e-8, bbe=1e-7')
    tables = [one_seed(out / f'seed_{seed}', size, seed) for seed in seeds]
    if len(tables) > 1:
        print(f'\nmean and standard deviation over seeds {", ".join(map(str, seeds))}\n{_summary(tables)}')
    print(f'\n{NEXT}\n\nfinished in {(time.monotonic() - start) / 60:.1f} minutes')


def one_seed(folder: Path, size: Size, seed: int) -> list[TrackerResult]:
    """World, three trainings, tracking, table and pictures of one seed; returns the rows of the table."""
    def say(text: str) -> None:
        print(f'\n== seed {seed}: {text}', flush=True)

    say('the world: labelled RGB video, unlabelled RGB-TIR pairs, test sequences')
    world = steps.make_world(folder / 'world', size, seed)
    say('the parent learns from labelled RGB video')
    parent = steps.train_parent(world, folder, size, seed)
    say('the control: as many steps as d3, on RGB-RGB pairs')
    steps.distil('control', parent, world, folder, size, seed)
    say('d3: cross-modal distillation on RGB-TIR pairs')
    steps.distil('d3', parent, world, folder, size, seed)
    say('tracking')
    on_rgb = steps.track(folder, world['rgb_test'], {'parent': 'parent'})
    data = world['tir_test']
    rows = [steps.static_box(data), *steps.track(folder, data, LABELS)]
    say('result')
    print(f'the parent on RGB sequences it has not seen:\n{results_table(on_rgb)}\n')
    print(f'on thermal sequences:\n{results_table(rows)}\n')
    plot = save_plot(rows, folder / 'success.png', 'success')
    picture = strip(folder, data, folder / 'strip.png')
    print(f'success plot: {plot}\npicture strip: {picture}')
    return rows


def _summary(tables: Sequence[Sequence[TrackerResult]]) -> str:
    rows = []
    for same in zip(*tables, strict=True):
        figures = np.array([[100 * (r.result.figure(m) or 0.0) for m in ('success', 'precision', 'norm_precision')]
                            for r in same])
        spread = figures.std(axis=0, ddof=1)
        rows.append([same[0].label, *(f'{mean:.1f} +- {s:.1f}' for mean, s in zip(figures.mean(axis=0), spread,
                                                                                 strict=True))])
    return format_table(rows, ('Tracker', 'Success', 'Precision', 'Norm. Prec.'))
