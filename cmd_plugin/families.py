"""The trackers that learn here: those below, and those of other packages; `FAMILIES` has them all by name.

A further family is a `Family`: the descriptions of its components (`components/`), its networks, its rows, and beside
it its packages of settings and parameters. Other packages declare theirs in the entry-point group
`pytracking.cmd_families` (docs/adding_a_tracker.md). These below are there without any installation.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cmd_plugin.components import BBE, TCL, Component, DensityBBE, DensityTCL, Joint
from cmd_plugin.errors import UserError
from cmd_plugin.parameter import stock
from cmd_plugin.tracker import get_atom_class, get_kys_class, get_tomp_class, get_tracker_class

if TYPE_CHECKING:
    from cmd_plugin.recipe import CMDRecipe

GROUP = 'pytracking.cmd_families'
STOCK_DIMP = {'filter_size': 4, 'backbone_pretrained': False, 'optim_iter': 5, 'clf_feat_norm': True,
              'final_conv': True, 'optim_init_step': 0.9, 'optim_init_reg': 0.1, 'init_gauss_sigma': 0.9,
              'num_dist_bins': 100, 'bin_displacement': 0.1, 'mask_init_factor': 3.0, 'target_mask_act': 'sigmoid',
              'score_act': 'relu'}
STOCK_PRDIMP = {'filter_size': 4, 'backbone_pretrained': False, 'optim_iter': 5, 'clf_feat_norm': True,
                'final_conv': True, 'optim_init_step': 1.0, 'optim_init_reg': 0.05, 'optim_min_reg': 0.05,
                'gauss_sigma': 0.9, 'alpha_eps': 0.05, 'normalize_label': True, 'init_initializer': 'zero'}
R18, R50 = {'out_feature_dim': 256, 'clf_feat_blocks': 1}, {'out_feature_dim': 512, 'clf_feat_blocks': 0}
WIDE = {'search_area_factor': 6.0, 'crop_type': 'inside_major', 'max_scale_change': 1.5,
        'center_jitter': {'train': 3.0, 'test': 5.5}}
WIDE_SIGMA = 22 / 4 / 6  # of the label, score cells
DIMPNET, ATOMNET = 'ltr.models.tracking.dimpnet', 'ltr.models.bbreg.atom'
KYSNET, TOMPNET = 'ltr.models.tracking.kysnet', 'ltr.models.tracking.tompnet'


@dataclass(frozen=True)
class Network:
    """A network that a family distils.

    Attributes:
        module, function: its constructor.
        arguments: of the constructor, as the stock settings have them.
        crop_size: side of the crops that it is made for, px.
        label_sigma: spread of the Gaussian label that it is trained with, relative to the feature map.
        processing: where its crops are not the family's (`cross_modal_processing`).
        told_by: the argument that tells it from networks of other families with the same constructor.
    """

    module: str
    function: str
    arguments: Mapping[str, Any] = field(default_factory=lambda: {'backbone_pretrained': False})
    crop_size: int = 288
    label_sigma: float = 0.05
    processing: Mapping[str, Any] = field(default_factory=dict)
    told_by: str = ''

    def made_by(self, constructor: Any) -> bool:
        """Whether it is the network that a checkpoint's constructor makes; what that one leaves open may be so."""
        if getattr(constructor, 'fun_name', None) != self.function:
            return False
        said = constructor.kwds.get(self.told_by)
        return said is None or math.isclose(said, self.arguments[self.told_by], rel_tol=1e-3)


@dataclass(frozen=True)
class Family:
    """A tracker that learns by distillation.

    Attributes:
        name: of its train settings, its tracker and its parameters.
        parent: name of the stock tracker.
        networks: what the parent may be, by the name that `--net` takes; the first is the default.
        components: its two-branch parts, by the name that recipes use.
        tracker: gives the tracker class; tracking is the stock tracker's.
        parameters: stock parameters for a crop size.
        file: a usual name of the parent's checkpoint, for messages.
        processing: where crops and proposals of its training are not DiMP's (`cross_modal_processing`).
        rows: its recipes; those of the families below are in `recipes.py`.
    """

    name: str
    parent: str
    networks: Mapping[str, Network]
    components: Mapping[str, Component]
    tracker: Callable[[], type[Any]]
    parameters: Callable[[int], Any]
    file: str
    processing: Mapping[str, Any] = field(default_factory=dict)
    rows: Sequence[CMDRecipe] = ()


CMD_DIMP = Family('cmd_dimp', 'dimp', {
    'dimp50': Network(DIMPNET, 'dimpnet50', {**STOCK_DIMP, **R50}, told_by='init_gauss_sigma'),
    'dimp18': Network(DIMPNET, 'dimpnet18', {**STOCK_DIMP, **R18}),
    'dimp_small': Network(DIMPNET, 'dimpnet_small', crop_size=144, label_sigma=0.1),
}, {'tcl': TCL(), 'bbe': BBE()}, get_tracker_class, stock.dimp, 'dimp50.pth.tar')

CMD_ATOM = Family('cmd_atom', 'atom', {
    'atom18': Network(ATOMNET, 'atom_resnet18'),
    'atom50': Network(ATOMNET, 'atom_resnet50'),
    'atom_small': Network(ATOMNET, 'atom_small', crop_size=144),
}, {'bbe': BBE()}, get_atom_class, stock.atom, 'atom18.pth.tar',
    {'center_jitter': {'train': 0.0, 'test': 4.5}, 'scale_jitter': {'train': 0.0, 'test': 0.5}, 'proposals': 16})

CMD_PRDIMP = Family('cmd_prdimp', 'dimp', {
    'prdimp50': Network(DIMPNET, 'klcedimpnet50', {**STOCK_PRDIMP, **R50, 'gauss_sigma': WIDE_SIGMA}, 352, 1 / 24,
                        WIDE),
    'prdimp18': Network(DIMPNET, 'klcedimpnet18', {**STOCK_PRDIMP, **R18}),
    'prdimp_small': Network(DIMPNET, 'klcedimpnet_small', crop_size=144, label_sigma=0.1),
}, {'tcl': DensityTCL(), 'bbe': DensityBBE(0.0025)}, get_tracker_class, stock.prdimp, 'prdimp50.pth.tar',
    {'proposals': 128, 'densities': 'boxes and scores'})

CMD_SUPER_DIMP = Family('cmd_super_dimp', 'dimp', {
    'super_dimp': Network(DIMPNET, 'dimpnet50', {**STOCK_DIMP, **R50, 'init_gauss_sigma': WIDE_SIGMA}, 352, 1 / 24,
                          told_by='init_gauss_sigma'),
    'super_dimp_small': Network(DIMPNET, 'dimpnet_small', crop_size=144, label_sigma=0.1),
}, {'tcl': TCL(), 'bbe': DensityBBE(0.01)}, get_tracker_class, stock.super_dimp, 'super_dimp.pth.tar',
    {**WIDE, 'proposals': 128, 'densities': 'boxes'})

CMD_KYS = Family('cmd_kys', 'kys', {
    'kys50': Network(KYSNET, 'kysnet50', {**STOCK_DIMP, **R50}),
    'kys18': Network(KYSNET, 'kysnet18', {**STOCK_DIMP, **R18}),
    'kys_small': Network(KYSNET, 'kysnet_small', crop_size=144, label_sigma=0.1),
}, {'tcl': TCL(), 'bbe': BBE()}, get_kys_class, stock.kys, 'kys.pth.tar')  # what is not DiMP's learns on video alone

CMD_TOMP = Family('cmd_tomp', 'tomp', {
    'tomp50': Network(TOMPNET, 'tompnet50'),
    'tomp18': Network(TOMPNET, 'tompnet18'),
    'tomp_small': Network(TOMPNET, 'tompnet_small', crop_size=144, label_sigma=0.1),
}, {'joint': Joint()}, get_tomp_class, stock.tomp, 'tomp50.pth.tar',
    {'target_filter_sz': 1, 'proposals': 1})  # proposals play no part

OWN = {family.name: family for family in (CMD_DIMP, CMD_ATOM, CMD_PRDIMP, CMD_SUPER_DIMP, CMD_KYS, CMD_TOMP)}


class Families(Mapping[str, Family]):
    """All families by name. Those of other packages are imported when they are asked for, and not before.

    Raises:
        UserError: two packages offer the asked-for name, or what one offers is no family of that name.
        ImportError: comes through as it is, as whatever else that package's import raises.
    """

    def __getitem__(self, name: str) -> Family:
        return _found(name)

    def __contains__(self, name: object) -> bool:
        return name in OWN or name in _offered()

    def __iter__(self) -> Iterator[str]:
        yield from dict.fromkeys((*OWN, *_offered()))

    def __len__(self) -> int:
        return len(set(self))


FAMILIES = Families()


def broken(name: str) -> str | None:
    """Why a family cannot be used, in one line, or `None`; for lists of all families, which no other should spoil."""
    try:
        _found(name)
    except Exception as error:  # whatever a foreign package may raise is the finding
        return f'{type(error).__name__}: {" ".join(str(error).split())[:160]}'
    return None


def _offered() -> list[str]:
    """Names of installed families; a stock checkout knows of no package but this one."""
    try:
        from ltr.admin import plugins
    except ImportError:
        return []
    return plugins.names(GROUP)


@functools.cache
def _found(name: str) -> Family:
    if name not in _offered():
        return OWN[name]
    from ltr.admin import plugins
    entry = plugins.find(GROUP, name, core=('cmd_plugin',))
    if name in OWN:
        return OWN[name]
    family = entry.load()
    if not isinstance(family, Family) or family.name != name:
        raise UserError(f'{entry.value} is offered as the distilled tracker {name!r}, but is no Family of that name')
    return family
