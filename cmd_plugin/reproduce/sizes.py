"""How large the experiment is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Size:
    """Numbers of one run.

    Attributes:
        network: of the parent, as `--net` takes it.
        crop: side of the crops, px; 16 px are a feature cell.
        parent_epochs, parent_least: most epochs of the parent, and those before which the stop rule is not asked.
        parent_samples, parent_batch: samples an epoch, samples a step.
        parent_rate: Adam's rate of both heads.
        parent_decay: epochs between two decays of the rate, and the factor.
        kept_out_frames: of each kept-out sequence, at most.
        rows: what is tried, names of `rows.row_named`.
        rates, steps: the grid; a training goes to the largest number of steps and is looked at at each.
        piece: steps between two checkpoints of a child; divides every one of `steps`.
        batch: pairs a step.
        views: augmented samples of pairs that are kept as features, for each kind of pseudo box.
        seeds: trainings of each chosen row, and as many of its control.
        chosen: rows that go on to the test.
        clip_targets, clip_frames: of the selection clips: targets a start, frames a start.
        runs: targets of each test video, 0: all; a long one is tracked from several start points.
        run_frames, run_gap: frames from a start point on, and between two start points.
        threads: processes that track.
        precision: of every training, as `Settings.precision`; tracking is float32.
    """

    network: str
    crop: int
    parent_epochs: int
    parent_least: int
    parent_samples: int
    parent_batch: int
    parent_rate: float
    parent_decay: tuple[int, float]
    kept_out_frames: int
    rows: tuple[str, ...]
    rates: tuple[float, ...]
    steps: tuple[int, ...]
    piece: int
    batch: int
    views: int
    seeds: int
    chosen: int
    clip_targets: int
    clip_frames: int
    runs: int
    run_frames: int
    run_gap: int
    threads: int = 2
    precision: str = 'float32'

    @property
    def cells(self) -> int:
        """Feature cells along a side of the crop."""
        return self.crop // 16

    @property
    def label_sigma(self) -> float:
        """Spread of the Gaussian label relative to the feature map: 0.9 cells, as the network expects."""
        return 0.9 / self.cells


SIZES = {
    'full': Size(
        network='dimp18', crop=288, parent_epochs=45, parent_least=24, parent_samples=1600, parent_batch=10,
        parent_rate=3e-4, parent_decay=(15, 0.3), kept_out_frames=60,
        rows=('b1', 'b2', 'b3', 'c1', 'd1', 'd2', 'd3', 'd4', 'd5', 'tcl', 'bbe_boxes', 'bbe_boxes_thermal',
              'bbe_boxes_thermal_varied', 'd3_boxes_thermal', 'd3_boxes_thermal_opened', 'd3_shared', 'd3_spatial',
              'd3_unmatched', 'tcl_shared_renormed', 'tcl_shared_content'),
        rates=(1e-5, 1e-4, 3e-4), steps=(600,), piece=100, batch=5, views=500, seeds=5, chosen=2,
        clip_targets=6, clip_frames=20, runs=0, run_frames=60, run_gap=100),
    'evening': Size(
        network='dimp18', crop=176, parent_epochs=36, parent_least=18, parent_samples=1600, parent_batch=8,
        parent_rate=4e-4, parent_decay=(8, 0.3), kept_out_frames=30,
        rows=('d5', 'd3_boxes_thermal', 'd3_boxes_all', 'd3_boxes_thermal_opened', 'bbe_boxes_thermal', 'bbe_boxes_all',
              'bbe_boxes_thermal_varied'),
        rates=(1e-4, 3e-4), steps=(600,), piece=100, batch=5, views=1000, seeds=5, chosen=2,
        clip_targets=6, clip_frames=20, runs=5, run_frames=45, run_gap=110),
    'quick': Size(
        network='dimp18', crop=144, parent_epochs=10, parent_least=9, parent_samples=480, parent_batch=8,
        parent_rate=5e-4, parent_decay=(1, 0.85), kept_out_frames=30, rows=('d5', 'bbe_boxes_thermal'),
        rates=(1e-4, 3e-4), steps=(80,), piece=40, batch=5, views=160, seeds=3, chosen=1,
        clip_targets=2, clip_frames=20, runs=3, run_frames=30, run_gap=110),
    'test': Size(
        network='dimp_small', crop=144, parent_epochs=3, parent_least=3, parent_samples=8, parent_batch=4,
        parent_rate=1e-3, parent_decay=(1, 0.9), kept_out_frames=4, rows=('c1', 'd5', 'd3_varied'), rates=(1e-4,),
        steps=(1, 2), piece=1, batch=2, views=4, seeds=2, chosen=1, clip_targets=1, clip_frames=4, runs=2,
        run_frames=5, run_gap=20, threads=0),
}
