"""What a row of Table 1 is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import nn

from cmd_plugin.components import COMPONENTS
from cmd_plugin.components.base import belongs, branch_modules


@dataclass(frozen=True)
class CMDRecipe:
    """One way to distil; the defaults are the paper's.

    Attributes:
        name: row of Table 1, in lower case.
        summary: one line for people.
        init: ancestors by name: the student starts from their trained branches, the rest comes from the parent (a1).
        components: what is trained, of `tcl` (target centre location) and `bbe` (bounding-box estimation).
        student: branch that reads TIR and learns: `reference`, `test`, or `both` by turns.
        lr: Adam's rate by component.
        mix: `batch`: with `both`, every pair makes a row RGB -> TIR and a row TIR -> RGB; `spatial`: the left half of
            the crop is one modality, the right half the other.
        teacher: `frozen`: a copy of the parent that reads RGB; `shared`: the student reads both, for comparison.
        pseudo_box: where the fake target lies.
        box_fraction: side of the `center_area` square over the shorter image side.
        thermal: False puts the RGB image in place of the TIR one, as a control.
        bbe_weight: lambda of Eq. 1.
        epochs, batch, samples: length of the training; batch counts pairs.
        decay: epochs between two decays of the rate, and the factor.
    """

    name: str
    summary: str
    init: tuple[str, ...] = ()
    components: tuple[str, ...] = ()
    student: str = 'both'
    lr: Mapping[str, float] = field(default_factory=dict)
    mix: str = 'batch'
    teacher: str = 'frozen'
    pseudo_box: str = 'center_area'
    box_fraction: float = 1 / 5
    thermal: bool = True
    bbe_weight: float = 1.0
    epochs: int = 50
    batch: int = 5
    samples: int = 26_000
    decay: tuple[int, float] = (15, 0.5)

    def __post_init__(self) -> None:
        choices = {'student': ('reference', 'test', 'both'), 'mix': ('batch', 'spatial'),
                   'teacher': ('frozen', 'shared'), 'pseudo_box': ('center_area',)}
        for name, known in choices.items():
            if getattr(self, name) not in known:
                raise ValueError(f'recipe {self.name}: {name} must be one of {known}, not {getattr(self, name)!r}')
        if set(self.components) != set(self.lr) or not set(self.components) <= set(COMPONENTS):
            raise ValueError(f'recipe {self.name}: each of {self.components} needs a rate, known are {set(COMPONENTS)}')
        if self.mix == 'spatial' and self.student != 'both':
            raise ValueError(f'recipe {self.name}: the spatial mix trains both branches')

    def modules(self, component: str) -> tuple[str, ...]:
        """Modules of a component whose weights this recipe trains."""
        return branch_modules(COMPONENTS[component], self.student) if component in self.components else ()

    def trained(self, net: nn.Module) -> dict[str, dict[str, nn.Parameter]]:
        """Parameters that this recipe trains, by component and by name."""
        return {component: {key: value for key, value in net.named_parameters()
                            if belongs(key, self.modules(component))}
                for component in self.components}
