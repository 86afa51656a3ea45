"""What a row of Table 1 is made of."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from cmd_plugin.components import Component
from cmd_plugin.components.base import belongs, branch_modules
from cmd_plugin.data.pseudo_boxes import PSEUDO_BOXES
from cmd_plugin.families import FAMILIES, Family
from cmd_plugin.losses import RESIDUALS

CHOICES = {'student': ('reference', 'test', 'both'), 'mix': ('batch', 'spatial'),
           'teacher': ('frozen', 'shared'), 'pairing': ('crossed', 'thermal', 'all'),
           'target': ('box', 'teacher'), 'pseudo_box': tuple(PSEUDO_BOXES), 'tcl_loss': tuple(RESIDUALS)}
BACKBONE = 'backbone'
"""Name of the opened layers' rate."""


@dataclass(frozen=True)
class CMDRecipe:
    """One way to distil; the defaults are the paper's.

    The paper names lambda, mu and nu (Eq. 1-3) and gives no values. lambda = 1 leaves the two losses in DiMP's own
    proportion; mu = nu = 0, because DiMP's and ATOM's own training has no such terms: Eq. 2's mu has its part in the
    learned regularisation of DiMP's filter optimiser, and a norm of theta is bounded by the IoU that it must predict.

    Attributes:
        name: row of Table 1, in lower case.
        summary: one line for people.
        tracker: family of the network, a key of `FAMILIES`; empty in a row that no family has taken as its own yet.
        init: ancestors by name: the student starts from their trained branches, the rest comes from the parent (a1).
        components: what is trained, of `tcl` (target centre location) and `bbe` (bounding-box estimation).
        student: branch that reads TIR and learns: `reference`, `test`, or `both` by turns.
        lr: Adam's rate by component; with `opened`, of `backbone`, too.
        mix: `batch`: with `both`, every pair makes a row RGB -> TIR and a row TIR -> RGB; `spatial`: the left half of
            the crop is one modality, the right half the other.
        pairing: which modalities meet: `crossed`: RGB in one branch and TIR in the other; `thermal`: TIR in both, so
            that nothing but the pseudo box comes from RGB; `all`: the sum of both.
        target: what is to be predicted: `box`: scores and overlaps of the pseudo box; `teacher`: what the teacher says
            where it reads RGB in both branches, so that the pseudo box only says where to look.
        varied: TIR images are inverted, bent, stretched and blurred at random, as cameras differ; in a control, the RGB
            images in their place.
        opened: layers of the student's backbone that learn as well; the teacher keeps the parent's.
        teacher: `frozen`: a copy of the parent that reads RGB; `shared`: the student reads both, for comparison.
        pseudo_box: where the fake target lies: `center_area`, `random_sampling` or `detection`.
        box_fraction: side of a pseudo box over the shorter image side; `None`: what its kind has (`PSEUDO_BOXES`).
        thermal: False puts the RGB image in place of the TIR one, as a control.
        lambda_: lambda of Eq. 1, weight of BBE beside TCL.
        mu: of Eq. 2, weight of the squared norm of the filter, every iterate beside its own residual.
        nu: of Eq. 3, weight of the squared norm of the modulation vectors.
        tcl_loss: residual of TCL: `hinge`, DiMP's own, `squared`, the plain form of Eq. 2, or `kl`, PrDiMP's own.
        epochs, batch, samples: length of the training; batch counts pairs.
        decay: epochs between two decays of the rate, and the factor.
    """

    name: str
    summary: str
    tracker: str = ''
    init: tuple[str, ...] = ()
    components: tuple[str, ...] = ()
    student: str = 'both'
    lr: Mapping[str, float] = field(default_factory=dict)
    mix: str = 'batch'
    pairing: str = 'crossed'
    target: str = 'box'
    varied: bool = False
    opened: tuple[str, ...] = ()
    teacher: str = 'frozen'
    pseudo_box: str = 'center_area'
    box_fraction: float | None = None
    thermal: bool = True
    lambda_: float = 1.0
    mu: float = 0.0
    nu: float = 0.0
    tcl_loss: str = 'hinge'
    epochs: int = 50
    batch: int = 5
    samples: int = 26_000
    decay: tuple[int, float] = (15, 0.5)

    def __post_init__(self) -> None:
        for name, known in CHOICES.items():
            if getattr(self, name) not in known:
                raise ValueError(f'recipe {self.name}: {name} must be one of {known}, not {getattr(self, name)!r}')
        learning = (*self.components, *((BACKBONE,) if self.opened else ()))
        if set(learning) != set(self.lr):
            raise ValueError(f'recipe {self.name}: each of {learning} needs a rate, given are {tuple(self.lr)}')
        if self.target == 'teacher' and (self.mix == 'spatial' or not {*self.components} <= {'tcl', 'bbe'}):
            raise ValueError(f'recipe {self.name}: the teacher answers for tcl and bbe, and whole crops: no joint '
                             'component, no spatial mix')
        if self.mix == 'spatial' and self.student != 'both':
            raise ValueError(f'recipe {self.name}: the spatial mix trains both branches')
        if self.pairing != 'crossed' and (self.mix, self.student) != ('batch', 'both'):
            raise ValueError(f'recipe {self.name}: pairing {self.pairing!r} needs mix batch and student both')
        for name in ('lambda_', 'mu', 'nu'):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f'recipe {self.name}: {name.strip("_")} must be 0 or more, '
                                 f'not {getattr(self, name)!r}')
        if self.tracker:
            self._check_with_family()

    def _check_with_family(self) -> None:
        """Raise `ValueError` for what the tracker does not have."""
        if self.tracker not in FAMILIES:
            raise ValueError(f'recipe {self.name}: tracker must be one of {tuple(FAMILIES)}, not {self.tracker!r}')
        known = tuple(self.family.components)
        if not set(self.components) <= set(known):
            raise ValueError(f'recipe {self.name}: components {self.components}, but {self.tracker} has {known}')
        for name in self.components:
            residuals = getattr(self.component(name), 'residuals', (self.tcl_loss,))
            if self.tcl_loss not in residuals:
                raise ValueError(f'recipe {self.name}: tcl_loss must be one of {residuals}, not {self.tcl_loss!r}')

    @property
    def family(self) -> Family:
        """What the tracker is made of."""
        return FAMILIES[self.tracker]

    def component(self, name: str) -> Component:
        """Description of a component."""
        return self.family.components[name]

    def modules(self, component: str) -> tuple[str, ...]:
        """Modules of a component whose weights this recipe trains."""
        return branch_modules(self.component(component), self.student) if component in self.components else ()

    def trained(self, net: nn.Module) -> dict[str, dict[str, nn.Parameter]]:
        """Parameters that this recipe trains, by name; by component, and those of opened layers as `backbone`."""
        modules = {name: self.modules(name) for name in self.components}
        if self.opened:
            modules[BACKBONE] = tuple(f'feature_extractor.{layer}' for layer in self.opened)
        return {name: {key: value for key, value in net.named_parameters() if belongs(key, parts)}
                for name, parts in modules.items()}

    def groups(self, net: nn.Module) -> list[dict[str, Any]]:
        """All that `trained` names, each part with its rate, as an optimiser takes them."""
        return [{'params': list(own.values()), 'lr': self.lr[name]} for name, own in self.trained(net).items()]
