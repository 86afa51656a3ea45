"""Imports run one way, the core never names the plugin, the plugin uses names that a stock toolkit has, too."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import REPO

PACKAGES = ('ltr', 'pytracking', 'cmd_plugin')
FORBIDDEN = {'ltr': ('pytracking', 'cmd_plugin'), 'pytracking': ('cmd_plugin',), 'cmd_plugin': ()}
NEVER_NAMED = ('cmd_plugin', 'cmd_dimp', 'cmd_atom')

# The public face that our toolkit shares with an unmodified one; by what the plugin needs it for.
SHARED_NAMES = {
    'ltr.load_network', 'ltr.admin.local.EnvironmentSettings',                       # checkpoints and where they lie
    'ltr.actors.BaseActor', 'ltr.trainers.LTRTrainer', 'ltr.data.LTRLoader',         # training
    'ltr.data.processing.DiMPProcessing', 'ltr.data.processing.KLDiMPProcessing', 'ltr.data.transforms',
    'pytracking.TensorDict',
    'pytracking.features.net_wrappers.NetWithBackbone',                              # tracking
    'pytracking.parameter.dimp.dimp50', 'pytracking.tracker.dimp.get_tracker_class',
    *(f'pytracking.evaluation.data.{name}' for name in ('BaseDataset', 'Sequence', 'SequenceList')),
    'pytracking.evaluation.local.local_env_settings',
    *(f'pytracking.parameter.dimp.{name}' for name in ('prdimp18', 'prdimp50', 'super_dimp')),
    'pytracking.parameter.atom.default', 'pytracking.tracker.atom.get_tracker_class',
}
# Of our toolkit alone, for its networks and other people's packages: only inside functions: nothing else needs it.
OWN_NAMES = {'pytracking.parameter.dimp.dimp_small', 'pytracking.parameter.atom.atom_small', 'ltr.admin.plugins',
             *(f'pytracking.parameter.kys.{name}' for name in ('default', 'kys_small')),
             'pytracking.tracker.kys.get_tracker_class', 'pytracking.parameter.tomp.tomp50',
             'pytracking.tracker.tomp.get_tracker_class'}
# Parts that need our toolkit, or that say by themselves what they do without it.
FREE = ('demo', 'reproduce', 'world', 'table1', 'convert', 'doctor.py', 'datasets', 'errors.py', 'benchmark.py',
        'growth.py', 'check_pairs')


def sources(package: str) -> list[Path]:
    return sorted((REPO / package).rglob('*.py'))


def imported(path: Path, root: Path = REPO, outside_functions: bool = False) -> Iterator[str]:
    """Absolute dotted names of everything that a file imports, at any depth of it or not inside functions."""
    package = path.relative_to(root).with_suffix('').parts[:-1]
    tree = ast.parse(path.read_text(encoding='utf-8'))
    for node in tree.body if outside_functions else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = '.'.join(package[:len(package) - node.level + 1]) if node.level else ''
            module = '.'.join(filter(None, (base, node.module)))
            yield from (f'{module}.{alias.name}' for alias in node.names)


def test_the_import_reader_sees_every_form(tmp_path):
    """Else the tests below would pass by blindness."""
    path = tmp_path / 'a' / 'b' / 'c.py'
    path.parent.mkdir(parents=True)
    path.write_text('import x.y as z, w\nfrom u import v\ndef f():\n    from . import k\n    from ..m import n\n')
    assert set(imported(path, tmp_path)) == {'x.y', 'w', 'u.v', 'a.b.k', 'a.m.n'}
    assert set(imported(path, tmp_path, outside_functions=True)) == {'x.y', 'w', 'u.v'}
    assert all(len(sources(package)) > 20 for package in PACKAGES)


@pytest.mark.parametrize('package', ['ltr', 'pytracking'])
def test_imports_run_one_way(package):
    backward = [f'{path.relative_to(REPO)} imports {name}' for path in sources(package) for name in imported(path)
                if name.split('.')[0] in FORBIDDEN[package]]
    assert not backward


@pytest.mark.parametrize('package', ['ltr', 'pytracking'])
def test_the_core_never_names_the_plugin(package):
    naming = [f'{path.relative_to(REPO)}: {word}' for path in (REPO / package).rglob('*')
              if path.is_file() and '__pycache__' not in path.parts
              for word in NEVER_NAMED if word in path.read_text(encoding='utf-8') or word in path.name]
    assert not naming


def test_the_plugin_takes_from_the_toolkit_only_shared_names():
    free = {REPO / 'cmd_plugin' / part for part in FREE}
    strict = [path for path in sources('cmd_plugin') if path not in free and path.parent not in free]
    used = {(name, path.name) for path in strict for name in imported(path) if name.split('.')[0] in PACKAGES[:2]}
    assert {entry for entry in used if entry[0] not in SHARED_NAMES | OWN_NAMES} == set()
    assert {name for name, _ in used} == SHARED_NAMES | OWN_NAMES, 'take names that nobody uses out of the lists'
    assert not {name for path in strict for name in imported(path, outside_functions=True)} & OWN_NAMES


def test_nothing_in_the_package_imports_its_tests():
    assert not [path for package in PACKAGES for path in sources(package)
                if any(name.split('.')[0] in ('tests', 'pytest') for name in imported(path))]


def loaded_by(statement: str) -> list[str]:
    code = f'{statement}\nimport sys, json\nprint(json.dumps(sorted(sys.modules)))'
    result = subprocess.run([sys.executable, '-c', code], cwd=REPO, capture_output=True, text=True, check=True)
    return json.loads(result.stdout)


@pytest.mark.parametrize(('statement', 'heavy'), [
    ('import pytracking', ('visdom', 'matplotlib', 'cv2', 'torch')),
    ('import pytracking.evaluation', ('visdom', 'matplotlib', 'pandas', 'scipy', 'pytracking.tracker.dimp')),
    ('import ltr.admin.plugins, cmd_plugin.cli, cmd_plugin.doctor', ('torch', 'numpy', 'matplotlib')),
])
def test_imports_are_light(statement, heavy):
    loaded = loaded_by(statement)
    assert {'ltr', 'pytracking'} & set(loaded)
    assert not [name for name in heavy if name in loaded]


def public(tree: ast.Module) -> Iterator[tuple[ast.AST, ast.ClassDef | None]]:
    """Module, public functions and classes, and the public methods of public classes; each with its class."""
    yield tree, None
    pending: list[tuple[ast.stmt, ast.ClassDef | None]] = [(node, None) for node in tree.body]
    for node, owner in pending:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith('_'):
            yield node, owner
            if isinstance(node, ast.ClassDef):
                pending += [(child, node) for child in node.body]


@pytest.mark.parametrize('package', PACKAGES)
def test_public_things_have_docstrings(package):
    """A method of a derived class may leave it to the class that declares the method."""
    things = [(path, node, owner) for path in sources(package)
              for node, owner in public(ast.parse(path.read_text(encoding='utf-8')))]
    told = {node.name for _, node, owner in things if owner and ast.get_docstring(node)}
    bare = [f'{path.relative_to(REPO)}: {getattr(node, "name", "the module")}' for path, node, owner in things
            if not ast.get_docstring(node) and not (owner and owner.bases and node.name in told)]
    assert not bare
