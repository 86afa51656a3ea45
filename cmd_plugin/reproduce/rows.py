"""What is tried: rows of Table 1, and variants of them; every one starts from the parent, and has its own control."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from cmd_plugin.errors import UserError
from cmd_plugin.recipe import CMDRecipe
from cmd_plugin.recipes import RECIPES

TRACKER = 'cmd_dimp'
BBE_SHARE = 0.1
"""Rate of BBE over that of TCL where both learn: at TCL's, BBE lost a point or two (docs/results.md)."""
BACKBONES = {'renormed': 'batch norms measured on thermal crops', 'content': 'layer3 taught the features of RGB crops'}


@dataclass(frozen=True)
class Row:
    """A way to distil, and the samples that it sees.

    Attributes:
        recipe: what learns from what, with the rates of the paper.
        varied: thermal images are inverted, stretched and blurred at random.
        matched: False gives the reference branch the box of the test crop, the fault of the authors' release.
        backbone: that the student wears, one of `BACKBONES`, or empty: the parent's. A control wears the parent's:
            made from RGB in place of thermal crops, each of them would be just that.
        crossed: False puts the thermal crop in the place of the RGB one, too: both branches learn from thermal images
            alone, and nothing crosses over.
    """

    recipe: CMDRecipe
    varied: bool = False
    matched: bool = True
    backbone: str = ''
    crossed: bool = True

    @property
    def reads(self) -> tuple[int, int]:
        """What stands at the places of the RGB and of the thermal crop: 0 the RGB one, 1 the thermal one."""
        return (int(not self.crossed), 1) if self.recipe.thermal else (0, 0)

    @property
    def samples(self) -> str:
        """Name of the stored samples: the kind of pseudo box, and what is done to thermal images."""
        return '_'.join(filter(None, (self.recipe.pseudo_box, 'varied' * self.varied, self.backbone)))


def _rows() -> dict[str, Row]:
    table = {name: replace(recipe, init=()) for name, recipe in RECIPES[TRACKER].items()
             if recipe.components and recipe.thermal}
    d3 = table['d3']
    tcl = replace(d3, summary='TCL alone, both branches', components=('tcl',), lr={'tcl': d3.lr['tcl']})
    shared = replace(tcl, summary='TCL alone, one set of weights for both modalities', teacher='shared')
    rows = {
        **{name: Row(recipe) for name, recipe in table.items()},
        'tcl': Row(tcl),
        'tcl_shared': Row(shared),
        'tcl_thermal': Row(replace(shared, summary='tcl_shared, thermal images in both branches'), crossed=False),
        'tcl_varied': Row(replace(shared, summary='tcl_shared, thermal images varied'), varied=True),
        **{f'{stem}_{name}': Row(replace(recipe, summary=f'{recipe.name}, {what}'), backbone=name)
           for stem, recipe in (('tcl', shared), ('d3', d3)) for name, what in BACKBONES.items()},
        'd3_shared': Row(replace(d3, summary='d3 with one set of weights', teacher='shared')),
        'd3_spatial': Row(replace(d3, summary='d3, the modalities side by side in one crop', mix='spatial')),
        'd3_varied': Row(replace(d3, summary='d3, thermal images varied'), varied=True),
        'd3_unmatched': Row(replace(d3, summary='d3, the reference branch with the box of the test crop'),
                            matched=False),
    }
    return {name: replace(row, recipe=replace(row.recipe, name=name)) for name, row in rows.items()}


ROWS: Mapping[str, Row] = _rows()


def row_of(name: str, rate: float, thermal: bool = True) -> Row:
    """A row at one rate; BBE beside TCL at its share of it.

    Args:
        name: key of `ROWS`.
        rate: Adam's.
        thermal: False: the control, the same steps with the RGB image in place of the thermal one.

    Raises:
        UserError: no such row.
    """
    known([name])
    row = ROWS[name]
    share = BBE_SHARE if 'tcl' in row.recipe.components else 1
    rates = {component: rate * (share if component == 'bbe' else 1) for component in row.recipe.components}
    return replace(row, recipe=replace(row.recipe, lr=rates, thermal=thermal))


def known(names: Iterable[str]) -> tuple[str, ...]:
    """Names of rows, each once. Raises `UserError` for one that is none."""
    for name in names:
        if name not in ROWS:
            raise UserError(f'unknown row {name!r}: there are {", ".join(ROWS)}')
    return tuple(dict.fromkeys(names))


def backbones_of(rows: Iterable[str]) -> list[str]:
    """The backbones, other than the parent's, that some rows need."""
    wanted = {ROWS[name].backbone for name in rows}
    return [name for name in BACKBONES if name in wanted]
