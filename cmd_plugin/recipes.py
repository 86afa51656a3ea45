"""Rows of Table 1 of the paper, by tracker and name."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from cmd_plugin.errors import UserError
from cmd_plugin.families import FAMILIES, broken
from cmd_plugin.recipe import CMDRecipe

BBE_RATE, TCL_RATE = {'bbe': 1e-6}, {'tcl': 1e-6}


def _joint(name: str, summary: str, init: tuple[str, ...] = ('b3', 'c1'), **changes: Any) -> CMDRecipe:
    """A row that trains BBE and TCL together."""
    return CMDRecipe(name, summary, init=init, components=('bbe', 'tcl'), lr={'bbe': 1e-7, 'tcl': 2e-8}, **changes)


BBE_ROWS = (
    CMDRecipe('a1', 'the parent: the stock tracker, nothing distilled'),
    CMDRecipe('b1', 'BBE, reference branch learns TIR', components=('bbe',), student='reference', lr=BBE_RATE),
    CMDRecipe('b2', 'BBE, test branch learns TIR', components=('bbe',), student='test', lr=BBE_RATE),
    CMDRecipe('b3', 'reference branch of b1 + test branch of b2, no training', init=('b1', 'b2')),
)
"""Of every tracker with an IoU predictor."""

TCL_ROWS = (
    CMDRecipe('c1', 'TCL, reference branch learns TIR', components=('tcl',), student='reference', lr=TCL_RATE),
    _joint('d1', 'BBE and TCL, test branch learns TIR', student='test'),
    _joint('d2', 'BBE and TCL, reference branch learns TIR', student='reference'),
    _joint('d3', 'BBE and TCL, both branches, the modalities by turns'),
    _joint('d4', 'd3 with pseudo boxes by random sampling', pseudo_box='random_sampling'),
    _joint('d5', 'd3 with pseudo boxes of a detector', pseudo_box='detection'),
)
"""Of every tracker with a model predictor as well."""

CONTROL = _joint('control', 'd3 from the parent, with RGB in place of TIR: what the steps do by themselves', init=(),
                 thermal=False)
BBE_CONTROL = CMDRecipe('control', 'BBE, both branches, with RGB in place of TIR: what the steps do by themselves',
                        components=('bbe',), lr=BBE_RATE, thermal=False)

DIMP_ROWS = (*BBE_ROWS, *TCL_ROWS, CONTROL)
TOMP_ROWS = (BBE_ROWS[0], *(replace(row, init=(), components=('joint',), lr={'joint': 1e-6})
                            for row in (*TCL_ROWS[1:], CONTROL)))
"""Of a tracker whose one predictor gives scores and boxes: no row of BBE or TCL alone, and so no ancestors."""
ROWS: dict[str, tuple[CMDRecipe, ...]] = {
    'cmd_dimp': DIMP_ROWS,
    'cmd_atom': (*BBE_ROWS, BBE_CONTROL),
    'cmd_prdimp': tuple(replace(row, tcl_loss='kl') for row in DIMP_ROWS),
    'cmd_super_dimp': DIMP_ROWS,
    'cmd_kys': DIMP_ROWS,
    'cmd_tomp': TOMP_ROWS,
}


class Recipes(Mapping[str, dict[str, CMDRecipe]]):
    """Rows by tracker and name, of all `FAMILIES`; raises as these do."""

    def __getitem__(self, tracker: str) -> dict[str, CMDRecipe]:
        return _rows_of(tracker)

    def __contains__(self, tracker: object) -> bool:
        return tracker in FAMILIES

    def __iter__(self) -> Iterator[str]:
        return iter(FAMILIES)

    def __len__(self) -> int:
        return len(FAMILIES)


@functools.cache
def _rows_of(tracker: str) -> dict[str, CMDRecipe]:
    family = FAMILIES[tracker]
    return {row.name: replace(row, tracker=tracker) for row in ROWS.get(tracker, family.rows)}


RECIPES = Recipes()


def recipe_of(tracker: str, name: str) -> CMDRecipe:
    """The recipe `name` of a tracker. Raises `UserError` for an unknown one."""
    for kind, key, known in (('tracker', tracker, RECIPES), (f'row of {tracker}', name, RECIPES.get(tracker, {}))):
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f'did you mean {near[0]!r}? ' if near else ''
            raise UserError(f'unknown {kind} {key!r}: {hint}known: {", ".join(known)}')
    return RECIPES[tracker][name]


def distilled(tracker: str) -> tuple[str, ...]:
    """Recipes whose networks have learned from thermal images."""
    return tuple(name for name, recipe in RECIPES[tracker].items() if name != 'a1' and recipe.thermal)


def with_ancestors(tracker: str, names: tuple[str, ...]) -> list[str]:
    """The named recipes and all that they start from, every ancestor before its descendants, a1 first."""
    ordered = ['a1']
    for name in names:
        before = with_ancestors(tracker, recipe_of(tracker, name).init)
        ordered += [n for n in (*before, name) if n not in ordered]
    return ordered


def listing() -> list[str]:
    """One line a recipe; and one a tracker whose package is broken, which harms the others no further."""
    lines = []
    for tracker in RECIPES:
        reason = broken(tracker)
        lines += ([f'{tracker}: broken: {reason}'] if reason else
                  [f'{tracker} {name:<7}  {recipe.summary}' for name, recipe in RECIPES[tracker].items()])
    return lines
