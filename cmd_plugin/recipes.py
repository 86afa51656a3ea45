"""Rows of Table 1 of the paper, each by its name."""

from __future__ import annotations

from cmd_plugin.recipe import CMDRecipe

SLOW = {'bbe': 1e-7, 'tcl': 2e-8}

RECIPES = {recipe.name: recipe for recipe in (
    CMDRecipe('a1', 'the parent: stock DiMP, RGB features, nothing distilled'),
    CMDRecipe('b1', 'BBE reference branch learns TIR', components=('bbe',), student='reference',
              lr={'bbe': 1e-6}),
    CMDRecipe('b2', 'BBE test branch learns TIR', components=('bbe',), student='test', lr={'bbe': 1e-6}),
    CMDRecipe('b3', 'reference branch of b1 + test branch of b2, no training', init=('b1', 'b2')),
    CMDRecipe('c1', 'TCL reference branch learns TIR', components=('tcl',), student='reference', lr={'tcl': 1e-6}),
    CMDRecipe('d3', 'BBE and TCL, both branches, the modalities by turns', init=('b3', 'c1'),
              components=('bbe', 'tcl'), student='both', lr=SLOW),
    CMDRecipe('control', 'd3 with the RGB image in place of the TIR one: what the steps do without thermal images',
              components=('bbe', 'tcl'), student='both', lr=SLOW, thermal=False),
)}

DISTILLED = tuple(name for name, recipe in RECIPES.items() if name != 'a1' and recipe.thermal)
"""Recipes whose networks have learned from thermal images."""
