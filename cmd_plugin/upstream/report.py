"""What `doctor` says of the checkout in use: where things come from, what the plugin added, and each mend."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from cmd_plugin.upstream import hooks, mends
from cmd_plugin.upstream.activation import ROOT, active, comes_from, origin, stray_toolkit
from cmd_plugin.upstream.attaching import checkouts, files
from cmd_plugin.upstream.checkout import revision
from cmd_plugin.upstream.finder import TOOLKIT, import_quietly

USED = {'ltr': ('load_network',), 'ltr.actors': ('BaseActor',), 'ltr.trainers': ('LTRTrainer',),
        'ltr.data': ('LTRLoader',), 'ltr.data.processing': ('DiMPProcessing',), 'ltr.data.transforms': ('Transform',),
        'ltr.admin.local': ('EnvironmentSettings',), 'pytracking': ('TensorDict',),
        'pytracking.features.net_wrappers': ('NetWithBackbone',), 'pytracking.evaluation.tracker': ('Tracker',),
        'pytracking.evaluation.datasets': ('dataset_dict', 'DatasetInfo'),
        'pytracking.evaluation.running': ('run_dataset',),
        'pytracking.evaluation.data': ('BaseDataset', 'Sequence', 'SequenceList'),
        'pytracking.evaluation.local': ('local_env_settings',)}
"""Public names of the toolkit that the plugin needs, by module."""


def lines() -> list[str]:
    """The section; empty where no checkout plays a part."""
    found = active()
    told = [f'attached to this Python: {path} (by {files()[0]})' for path in checkouts()]
    if found is None:
        stray = stray_toolkit()
        return told if stray is None else [*told, f'ltr would come from {stray}, which the plugin has not been told of'
                                                  ' (the current folder?): use --upstream, or go elsewhere']
    return [f'checkout: {found} ({revision(found)})', *told, *_sources(found), *_names(), *_known(), *_mends()]


def _sources(checkout: Path) -> list[str]:
    wrong = []
    for name in TOOLKIT:
        reason = import_quietly(name)
        if reason is not None:
            wrong.append(f'{name}: BROKEN: {reason}')
        elif not comes_from(sys.modules[name], checkout):
            wrong.append(f'{name}: WRONG: it comes from {origin(sys.modules[name])}')
    return wrong or [f'{" and ".join(TOOLKIT)} come from the checkout, cmd_plugin from {ROOT}']


def _names() -> list[str]:
    """Which of the names that the plugin needs are not there, and why."""
    lacking = []
    for module, names in USED.items():
        reason = import_quietly(module)
        if reason is not None:
            lacking.append(f'{module}: cannot be imported: {reason}')
        else:
            lacking += [f'{module}: has no {name}' for name in names
                        if not hasattr(importlib.import_module(module), name)]
    return lacking or [f'all {sum(map(len, USED.values()))} public names that the plugin needs are there']


def _known() -> list[str]:
    return [f'made known: trackers and settings {", ".join(hooks.trackers())}; data sets {", ".join(hooks.DATASETS)}']


def _mends() -> list[str]:
    import_quietly('torchvision.models.resnet')
    import_quietly(mends.PrRoIPooling.module)
    return [f'mend {mend.name}: {f"applied, {mend.applied}" if mend.applied else "not needed"}'
            for mend in mends.MENDS]
