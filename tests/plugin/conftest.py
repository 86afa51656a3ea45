"""Distributions as pip leaves them, without pip; and a data set of the example's own format."""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from cmd_plugin import families, recipes
from ltr.admin import plugins

EXAMPLE = Path(__file__).parent / 'example'
Entries = Mapping[str, Mapping[str, str]]


def declared() -> dict[str, dict[str, str]]:
    """Entry points of the example's `setup.py`."""
    call = next(node for node in ast.walk(ast.parse((EXAMPLE / 'setup.py').read_text(encoding='utf-8')))
                if isinstance(node, ast.keyword) and node.arg == 'entry_points')
    return {group: dict(map(str.strip, line.split('=')) for line in lines)
            for group, lines in ast.literal_eval(call.value).items()}


@pytest.fixture
def install(tmp_path, monkeypatch) -> Callable[[str, Entries], Path]:
    """`install('alpha', {group: {name: value}})`; gives the folder of modules on the import path."""
    site = tmp_path / 'site'
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.delenv(plugins.VARIABLE, raising=False)
    cached, before = (families._found, recipes._rows_of), set(sys.modules)
    for function in cached:
        function.cache_clear()

    def make(distribution: str, entries: Entries) -> Path:
        info = site / f'{distribution.replace("-", "_")}-1.0.dist-info'
        info.mkdir()
        (info / 'METADATA').write_text(f'Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n')
        (info / 'entry_points.txt').write_text('\n'.join(
            line for group, named in entries.items()
            for line in (f'[{group}]', *(f'{name} = {value}' for name, value in named.items()))))
        return site
    yield make
    for function in cached:
        function.cache_clear()
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], '__file__', None) and str(site) in str(sys.modules[name].__file__):
            del sys.modules[name]


@pytest.fixture
def example(install, monkeypatch) -> None:
    """The example, where it lies."""
    monkeypatch.syspath_prepend(str(EXAMPLE))
    install('pocket-tracker', declared())


@pytest.fixture(scope='session')
def pocket_set(world_video, tmp_path_factory) -> Path:
    """The generated video in the example's format."""
    folder = tmp_path_factory.mktemp('pocket_set')
    listed = {}
    for truth in sorted(world_video.rglob('groundtruth_rect.txt')):
        boxes = np.loadtxt(truth, delimiter=',' if ',' in truth.read_text() else None)
        listed[truth.parent.name] = {'frames': str(truth.parent / 'img'), 'boxes': boxes.tolist()}
    (folder / 'sequences.json').write_text(json.dumps(listed))
    return folder
