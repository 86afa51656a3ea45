"""What is tried: rows of Table 1, and variants of them; every one starts from the parent, and has its own control.

A variant is called by its row and what is changed, in any order: `d3_shared`, `bbe_boxes_thermal_varied`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from cmd_plugin.errors import UserError
from cmd_plugin.recipe import BACKBONE, CMDRecipe
from cmd_plugin.recipes import RECIPES
from cmd_plugin.reproduce.store import LAYER

TRACKER = 'cmd_dimp'
BBE_SHARE = {'center_area': 0.1, 'random_sampling': 0.1, 'detection': 1.0}
"""Rate of BBE over that of TCL where both learn, by the kind of pseudo box: on squares, BBE at TCL's rate lost a point
or two (docs/results.md)."""
OPENED_SHARE = 0.1
"""Rate of opened layers over that of the heads."""
BACKBONES = {'renormed': 'batch norms measured on thermal crops', 'content': 'layer3 taught the features of RGB crops'}


@dataclass(frozen=True)
class Row:
    """A way to distil, and the samples that it sees.

    Attributes:
        recipe: what learns from what, with the rates of the paper.
        matched: False gives the reference branch the box of the test crop, the fault of the authors' release.
        backbone: that the student wears, one of `BACKBONES`, or empty: the parent's. A control wears the parent's:
            made from RGB in place of thermal crops, each of them would be just that.
        halves: of b3, which is not trained: the rows that give it their reference and their test branch.
    """

    recipe: CMDRecipe
    matched: bool = True
    backbone: str = ''
    halves: tuple[Row, ...] = ()

    @property
    def reads(self) -> tuple[int, int]:
        """What stands at the places of the RGB and of the thermal crop: 0 a sample's RGB crop, 1 its other one."""
        return (0, int(self.recipe.thermal or self.recipe.varied))

    @property
    def samples(self) -> str:
        """Name of the stored samples: the kind of pseudo box, and what is done to thermal images.

        A control finds its RGB crops in the child's samples; just varied ones have to be made.
        """
        varied = self.recipe.varied
        worn = self.backbone if self.recipe.thermal or not varied else 'visible'
        return '_'.join(filter(None, (self.recipe.pseudo_box, 'varied' * varied, worn)))


def _with(**changes: Any) -> Callable[[Row], Row]:
    return lambda row: replace(row, recipe=replace(row.recipe, **changes))


def _opened(row: Row) -> Row:
    return _with(opened=(LAYER,), lr={**row.recipe.lr, BACKBONE: 0.0})(row)


VARIANTS: Mapping[str, tuple[str, Callable[[Row], Row]]] = {
    'shared': ('one set of weights for both modalities', _with(teacher='shared')),
    'spatial': ('the modalities side by side in one crop', _with(mix='spatial')),
    'boxes': ('boxes of a detector', _with(pseudo_box='detection')),
    'thermal': ('thermal images in both branches', _with(pairing='thermal')),
    'all': ('thermal images in both branches as well', _with(pairing='all')),
    'response': ("the teacher's answers on RGB in place of the pseudo box", _with(target='teacher')),
    'opened': (f'{LAYER} of the student learns', _opened),
    'varied': ('thermal images varied', _with(varied=True)),
    'unmatched': ('the reference branch with the box of the test crop', partial(replace, matched=False)),
    **{name: (what, partial(replace, backbone=name)) for name, what in BACKBONES.items()},
}
"""What may be changed: in words, and how."""


def _stems() -> dict[str, CMDRecipe]:
    table = {name: replace(recipe, init=() if recipe.components else recipe.init)
             for name, recipe in RECIPES[TRACKER].items() if recipe.thermal and (recipe.components or recipe.init)}
    d3 = table['d3']
    return {**table, **{name: replace(d3, summary=f'{name.upper()} alone, both branches', components=(name,),
                                      lr={name: d3.lr[name]}) for name in ('tcl', 'bbe')}}


STEMS: Mapping[str, CMDRecipe] = _stems()
"""Rows of Table 1, and its two components by themselves."""


def row_named(name: str) -> Row:
    """A row with its changes. Raises `UserError` where there is none of this name."""
    stem, *changes = name.split('_')
    if stem not in STEMS or len(set(changes)) < len(changes) or not set(changes) <= set(VARIANTS):
        raise UserError(f'unknown row {name!r}: there are {", ".join(STEMS)}, and each of them with '
                        f'{", ".join(f"_{change}" for change in VARIANTS)}')
    row = Row(STEMS[stem])
    try:
        for change in changes:
            row = VARIANTS[change][1](row)
    except ValueError as error:
        raise UserError(f'no row {name!r}: {error}') from None
    if row.recipe.opened and row.backbone:
        raise UserError(f'no row {name!r}: the backbone {row.backbone} is made before, and opened layers are the '
                        "parent's")
    if row.recipe.opened and row.recipe.init:
        raise UserError(f'no row {name!r}: the networks of {" and ".join(row.recipe.init)} have one backbone, which '
                        'cannot learn in both')
    halves = tuple(row_named('_'.join((half, *changes))) for half in row.recipe.init)
    summary = ', '.join((row.recipe.summary, *(VARIANTS[change][0] for change in changes)))
    return replace(row, recipe=replace(row.recipe, name=name, summary=summary), halves=halves)


def row_of(name: str, rate: float, thermal: bool = True) -> Row:
    """A row at one rate; BBE beside TCL, and opened layers, at their share of it.

    Args:
        name: see `row_named`.
        rate: Adam's.
        thermal: False: the control, the same steps with the RGB image in place of the thermal one.

    Raises:
        UserError: no such row.
    """
    row = row_named(name)
    share = {'tcl': 1.0, 'bbe': BBE_SHARE[row.recipe.pseudo_box] if 'tcl' in row.recipe.components else 1.0,
             BACKBONE: OPENED_SHARE}
    rates = {part: rate * share[part] for part in row.recipe.lr}
    halves = tuple(row_of(half.recipe.name, rate, thermal) for half in row.halves)
    return replace(row, recipe=replace(row.recipe, lr=rates, thermal=thermal), halves=halves)


def known(names: Iterable[str]) -> tuple[str, ...]:
    """Names of rows, each once. Raises `UserError` for one that is none."""
    names = tuple(dict.fromkeys(names))
    for name in names:
        row_named(name)
    return names


def backbones_of(rows: Iterable[str]) -> list[str]:
    """The backbones, other than the parent's, that some rows need."""
    wanted = {row_named(name).backbone for name in rows}
    return [name for name in BACKBONES if name in wanted]
