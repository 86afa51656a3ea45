"""The whole experiment as a list of pieces, in the order of its stages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from cmd_plugin import checkpoints
from cmd_plugin.reproduce import (
    backbones,
    ceiling,
    ceiling_report,
    children,
    choice,
    clips,
    evaluation,
    kept_out_figures,
    parent,
    report,
    sources,
    summary,
)
from cmd_plugin.reproduce.pairs import divide_pairs
from cmd_plugin.reproduce.pieces import Piece
from cmd_plugin.reproduce.places import Data, Work
from cmd_plugin.reproduce.rows import BACKBONES, Row, backbones_of, row_of
from cmd_plugin.reproduce.sizes import Size
from cmd_plugin.reproduce.store import Views, make_store
from cmd_plugin.training import as_seen
from ltr.admin.device import pick_device

ALL_RUNS = 12
"""Runs of a video, about, where all are tracked; for the time left alone."""


@dataclass(frozen=True)
class Experiment:
    """What the command line says, and where things lie.

    Attributes:
        data, work, size: places and numbers.
        seeds: trainings of each chosen row.
        device: as `--device`.
        workers: processes that read training data.
    """

    data: Data
    work: Work
    size: Size
    seeds: int
    device: str | None = None
    workers: int = 0


def pieces(exp: Experiment, stages: Sequence[str]) -> list[Piece]:
    """Pieces of some stages, in order."""
    return [piece for stage, make in MAKERS.items() if stage in stages for piece in make(exp)]


def _sources(exp: Experiment) -> Iterator[Piece]:
    yield Piece('sources', 'boxes of the detector on the visible halves of the pairs', exp.work.boxes,
                partial(sources.detect, exp.data, exp.work), 0.6)


def _parent(exp: Experiment) -> Iterator[Piece]:
    for number in range(1, exp.size.parent_epochs + 1):
        yield Piece('parent', f'epoch {number} of at most {exp.size.parent_epochs}', exp.work.epoch(number),
                    partial(parent.epoch, exp.data, exp.work, exp.size, number, exp.device, exp.workers),
                    exp.size.parent_samples / 600, partial(parent.has_stopped, exp.work, exp.size))
    yield Piece('parent', 'the network of the last epoch is kept', exp.work.parent,
                partial(parent.finish, exp.work, exp.size), 0.05)
    yield Piece('parent', 'kept-out sequences, beside trackers without a network', exp.work.kept_out,
                partial(kept_out_figures.compare, exp.data, exp.work, exp.size, exp.device), 0.3)


def _candidates(exp: Experiment) -> Iterator[Piece]:
    yield Piece('candidates', 'selection clips: detected targets that the parent can follow', exp.work.clips,
                partial(clips.make_clips, exp.data, exp.work, exp.size, exp.device), _look(exp.size))
    worn = backbones_of(exp.size.rows)
    # Backbones are made from the plain samples, those of d3, and then read samples of their own.
    stores: dict[str, Row] = {}
    for name in (*(['d3'] if worn else []), *exp.size.rows):
        for row in (row_of(name, 0.0), row_of(name, 0.0, thermal=False)):
            stores.setdefault(row.samples, row)
    yield from (_store(exp, row) for row in stores.values() if not row.backbone)
    for name in worn:
        yield Piece('candidates', f'backbone: {BACKBONES[name]}', exp.work.backbone(name),
                    partial(backbones.make, exp.data, exp.work, exp.size, name, exp.device), 0.5)
    for name in ('parent', *worn):
        yield Piece('candidates', f'{name} on the thermal halves', exp.work.candidate(name, 0),
                    partial(choice.score_untrained, exp.work, exp.size, name, exp.device), _look(exp.size))
    yield from (_store(exp, row) for row in stores.values() if row.backbone)
    for name in exp.size.rows:
        for rate in exp.size.rates:
            yield Piece('candidates', f'{name} at {rate:g}', exp.work.candidate(name, rate),
                        partial(choice.score, exp.work, exp.size, name, rate, exp.device), exp.size.steps[-1] / 200
                        + _look(exp.size), alone=True)


def _look(size: Size) -> float:
    """Cost of tracking the selection clips once."""
    return size.clip_targets * size.clip_frames / 67


def _store(exp: Experiment, row: Row) -> Piece:
    return Piece('candidates', f'features of {exp.size.views} augmented pairs, {row.samples}',
                 exp.work.store(row.samples), partial(_make_store, exp, row), exp.size.views / 200)


def _make_store(exp: Experiment, row: Row) -> None:
    worn = row.backbone if row.recipe.thermal else ''
    networks = [checkpoints.load(exp.work.backbone(name))[0] for name in ('', worn)]
    pairs, _ = divide_pairs(exp.data.root / 'pairs')
    views = Views(as_seen(pairs, row.recipe), row.recipe.pseudo_box, exp.work.boxes, exp.size)
    make_store(exp.work.store(row.samples), networks, views, pick_device(exp.device or 'auto'))


def _selection(exp: Experiment) -> Iterator[Piece]:
    yield Piece('selection', 'the choice', exp.work.choice, partial(choice.choose, exp.work, exp.size), 0.01)


def _trained(exp: Experiment) -> Iterator[tuple[int, str, int, Path]]:
    for rank in range(min(exp.size.chosen, len(exp.size.rows))):
        for seed in range(exp.seeds):
            for kind in evaluation.KINDS:
                yield rank, kind, seed, exp.work.child(rank, kind, seed)


def _children(exp: Experiment) -> Iterator[Piece]:
    for rank, kind, seed, path in _trained(exp):
        yield Piece('children', f'{kind} of choice {rank}, seed {seed}', path,
                    partial(_child, exp, rank, kind, seed, path), exp.size.steps[-1] / 200, alone=True)


def _child(exp: Experiment, rank: int, kind: str, seed: int, path: Path) -> None:
    children.keep(exp.work, exp.size, choice.locked(exp.work)[rank], kind == 'child', seed, path, exp.device)


def _evaluation(exp: Experiment) -> Iterator[Piece]:
    yield Piece('evaluation', 'the first box, for ever', exp.work.figures('static'),
                partial(evaluation.evaluate_static, exp.data, exp.work, exp.size), 0.02)
    yield _tested(exp, 'parent', exp.work.parent)
    for rank, kind, seed, path in _trained(exp):
        yield _tested(exp, evaluation.label_of(rank, kind, seed), path)


def _tested(exp: Experiment, label: str, path: Path) -> Piece:
    return Piece('evaluation', label, exp.work.figures(label), partial(
        evaluation.evaluate, exp.data, exp.work, exp.size, label, path, exp.device), _test(exp.size), alone=True)


def _test(size: Size) -> float:
    """Cost of tracking all test runs once."""
    return (size.runs or ALL_RUNS) * size.run_frames / 58


def _statistics(exp: Experiment) -> Iterator[Piece]:
    yield Piece('statistics', 'child less control', exp.work.results,
                partial(summary.write, exp.work, exp.size, exp.seeds), 0.02)


def _report(exp: Experiment) -> Iterator[Piece]:
    yield Piece('report', 'tables, plots, pictures, networks', exp.work.report / 'report.md',
                partial(report.write, exp.data, exp.work, exp.size, exp.seeds), 0.1)


def _ceiling(exp: Experiment) -> Iterator[Piece]:
    seeds = range(min(exp.seeds, ceiling.SEEDS))
    for seed in seeds:
        for arm in ceiling.ARMS:
            for fold in arm.folds:
                yield Piece('ceiling', f'{arm.name}, fold {fold}, seed {seed}', ceiling.network_of(
                    exp.work, arm, fold, seed), partial(ceiling.train, exp.data, exp.work, exp.size, arm, fold, seed,
                                                        exp.device, exp.workers), exp.size.steps[-1] / 100, alone=True)
    # Not alone: what follows waits for all networks.
    yield replace(_tested(exp, 'parent', exp.work.parent), alone=False)
    for seed in seeds:
        for arm in ceiling.ARMS:
            yield Piece('ceiling', f'{arm.name}, seed {seed}: the test', exp.work.figures(ceiling.label_of(arm, seed)),
                        partial(ceiling.evaluate, exp.data, exp.work, exp.size, arm, seed, exp.device),
                        _test(exp.size), alone=True)
            yield Piece('ceiling', f'{arm.name}, seed {seed}: selection clips', ceiling.judged(exp.work, arm, seed),
                        partial(ceiling.judge, exp.work, exp.size, arm, seed, exp.device), _look(exp.size), alone=True)
    yield Piece('ceiling', 'tables', exp.work.report / 'ceiling.md',
                partial(ceiling_report.write, exp.work, exp.size, len(seeds)), 0.02)


MAKERS = {'sources': _sources, 'parent': _parent, 'candidates': _candidates, 'selection': _selection,
          'children': _children, 'evaluation': _evaluation, 'statistics': _statistics, 'report': _report,
          'ceiling': _ceiling}
