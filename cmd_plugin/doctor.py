"""What is in use on this machine, and what is missing for which job. Runs without any installed package."""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
import importlib.util
import os
import platform
from collections.abc import Mapping
from pathlib import Path

from cmd_plugin.upstream.report import lines as upstream

REQUIRED = ('torch', 'torchvision', 'numpy', 'cv2', 'tqdm', 'tensorboard', 'matplotlib', 'safetensors', 'scipy')
EXTRAS = {'jpeg4py': 'faster JPEG reading', 'visdom': 'live view', 'ray': 'tracking on many machines',
          'spatial_correlation_sampler': 'KYS cost volume', 'onnxruntime': 'YOLO detectors',
          'onnx': 'export', 'onnxscript': 'export'}
VARIABLES = {'PYTRACKING_LSOTB_TIR_PATH': 'data set lsotb_tir', 'PYTRACKING_PTB_TIR_PATH': 'data set ptb_tir',
             'CMD_DATA': 'training pairs'}


def report() -> int:
    """Print the report; returns 0, or 1 when something that everything needs is missing."""
    states = {name: _state(name) for name in REQUIRED}
    missing = [name for name, state in states.items() if state == 'MISSING' or state.startswith('BROKEN')]
    for title, lines in (('toolkit', _toolkit()), ('packages', _packages(states)), ('device', _device(missing)),
                         ('networks', _networks(missing)), ('data', _data()), ('upstream', upstream())):
        if not lines:
            continue
        print(f'{title}:')
        print('\n'.join(f'  {line}' for line in lines))
    if missing:
        print(f'missing or broken, needed by everything: {", ".join(missing)}; run ./install.sh')
    return 1 if missing else 0


def _state(name: str) -> str:
    """Version of a package, `MISSING`, or `BROKEN` with the reason: builds that do not fit one another fail here."""
    if importlib.util.find_spec(name) is None:
        return 'MISSING'
    try:
        importlib.import_module(name)
    except Exception as error:  # whatever a foreign package may raise is the finding
        return f'BROKEN: {type(error).__name__}: {" ".join(str(error).split())[:160]}'
    return _version(name)


def _toolkit() -> list[str]:
    lines = [f'python {platform.python_version()} on {platform.system()}']
    for name in ('ltr', 'pytracking', 'cmd_plugin'):
        spec = importlib.util.find_spec(name)
        where = spec.origin if spec else None
        lines.append(f'{name}: {Path(where).parent if where else "not found"}')
    try:
        from ltr.admin import plugins
    except ImportError:
        return [*lines, 'plugins: this toolkit has no entry points']
    groups = {group: plugins.names(group) for group in plugins.GROUPS}
    if not any(groups.values()):
        lines.append('plugins: none is registered: run ./install.sh, or pip install -e .')
    return lines + [f'{group.split(".")[1]}: {", ".join(names) or "none"}' for group, names in groups.items()]


def _packages(states: dict[str, str]) -> list[str]:
    lines = [f'{"opencv" if name == "cv2" else name}: {state}' for name, state in states.items()]
    return lines + [f'{name} (optional, {why}): {_version(name) if importlib.util.find_spec(name) else "absent"}'
                    for name, why in EXTRAS.items()]


def _version(name: str) -> str:
    owners = _owners().get(name, [])
    return ', '.join(importlib.metadata.version(owner) for owner in dict.fromkeys(owners)) or 'present'


@functools.cache
def _owners() -> Mapping[str, list[str]]:
    return importlib.metadata.packages_distributions()


def _device(missing: list[str]) -> list[str]:
    if 'torch' in missing:
        return ['unknown without torch']
    import torch
    found = [f'cpu, {torch.get_num_threads()} threads']
    found += [f'cuda:{i} {torch.cuda.get_device_name(i)}' for i in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        found.append('mps')
    return found


def _networks(missing: list[str]) -> list[str]:
    if missing:
        return [f'unknown without {", ".join(missing)}']
    from cmd_plugin import checkpoints
    from cmd_plugin.errors import UserError
    from cmd_plugin.families import broken
    from cmd_plugin.lineage import command
    from cmd_plugin.recipes import RECIPES
    lines = []
    try:
        checkpoints.workspace()
    except UserError as error:
        return [str(error)]
    for tracker in RECIPES:
        if broken(tracker):
            lines.append(f'{tracker}: BROKEN: {broken(tracker)}')
            continue
        found = {name: checkpoints.newest(name, tracker) for name in RECIPES[tracker]}
        if any(found.values()):
            lines += [f'{tracker} {name}: {path or "missing"}' for name, path in found.items()]
        else:
            lines.append(f'{tracker}: none below {checkpoints.folder_of("a1", tracker).parent}; the first step is '
                         f'{command("a1", tracker)}')
    return lines


def _data() -> list[str]:
    lines = []
    for variable, what in VARIABLES.items():
        value = os.environ.get(variable, '')
        folders = [Path(part) for part in value.split(os.pathsep) if part]
        state = ', '.join(f'{folder}{"" if folder.is_dir() else " (does not exist)"}' for folder in folders)
        lines.append(f'{what}: {state or f"not set ({variable}, or --data DIR)"}')
    return lines
