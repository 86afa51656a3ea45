"""A checkout that stands in for the stock toolkit: its face and habits from `tree/`, its arithmetic from ours.

`tree/` is written from the toolkit's public face. What computes (networks, crops, labels, the trackers' own work) is
copied from our packages, together with all that it imports; what only our toolkit has (`ltr.admin.errors`, plugins,
devices) is taken out of the copies, so that nothing can lean on it.
"""

from __future__ import annotations

import ast
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.conftest import REPO

TREE = Path(__file__).parent / 'tree'
WANTED = ('ltr.data.processing', 'ltr.data.transforms', 'ltr.actors', 'ltr.models.tracking.dimpnet',
          'ltr.models.bbreg.atom', 'ltr.models.loss.target_classification', 'pytracking.features.net_wrappers',
          'pytracking.tracker.dimp', 'pytracking.tracker.atom', 'pytracking.parameter.dimp.dimp18',
          'pytracking.parameter.dimp.dimp50', 'pytracking.parameter.atom.default')
LOCAL_ERROR = 'class UserError(Exception):\n    pass\n'
CHANGES = {
    'from ltr.admin.errors import UserError\n': LOCAL_ERROR,
    'from ltr.tensors import': 'from pytracking.libs.tensors import',
    'from ltr.admin import distributed\n': '',
    'distributed.weight_of(int(shown.sum()))': '1.0',
    'from ltr.admin.plugins import unknown\n': 'def unknown(what, name, known):\n    return LookupError(name)\n',
    'from ltr.admin.loading import load_network\n': 'from ltr import load_network\n',
    # A GPU that is asked for must be there.
    'from ltr.admin.device import pick_device\n':
        "def pick_device(name):\n    return torch.device('cpu' if name == 'cpu' else 'cuda')\n",
    ',\n                 device: torch.device | None = None': '',
    ', device: torch.device | None = None': '',
    'self.device = device or pick_device': 'self.device = pick_device',
    'from pytracking.evaluation.local import local_env_settings\n':
        'from pytracking.evaluation.environment import env_settings as local_env_settings\n',
}
"""Text of ours, and what stands in its place in the copies."""
URLS = '\nfrom torchvision.models.resnet import model_urls  # noqa: E402, F401\n'


def build(folder: Path) -> Path:
    """Make the checkout, a git repository with one commit, and return its path."""
    shutil.copytree(TREE, folder, ignore=shutil.ignore_patterns('__pycache__'))
    _copy('ltr/tensors.py', folder / 'pytracking' / 'libs' / 'tensors.py')
    pending, seen = list(WANTED), set()
    while pending:
        name = pending.pop()
        if name in seen:
            continue
        seen.add(name)
        source = _source(name)
        if source is None:
            continue
        target = folder / source
        if not target.exists():
            _copy(source, target)
        pending += [part for part in _parents(name) if part not in seen]
        pending += _imported(target)
    resnet = folder / 'ltr' / 'models' / 'backbone' / 'resnet.py'
    resnet.write_text(resnet.read_text(encoding='utf-8') + URLS, encoding='utf-8')
    assert not (folder / 'ltr' / 'admin' / 'plugins.py').exists(), 'the stock toolkit has no door for plugins'
    git(folder, 'init', '-q')
    git(folder, 'add', '.')
    git(folder, '-c', 'user.name=test', '-c', 'user.email=test@localhost', 'commit', '-q', '-m', 'Stand-in')
    return folder


def git(folder: Path, *arguments: str) -> str:
    """Output of a git command."""
    return subprocess.run(['git', '-C', str(folder), *arguments], capture_output=True, text=True, check=True).stdout


def set_paths(checkout: Path, workspace: Path) -> None:
    """What a user of the stock toolkit writes: the two files of paths."""
    (checkout / 'ltr' / 'admin' / 'local.py').write_text(
        f'class EnvironmentSettings:\n    def __init__(self):\n        self.workspace_dir = {str(workspace)!r}\n'
        f'        self.tensorboard_dir = {str(workspace / "tensorboard")!r}\n', encoding='utf-8')
    (checkout / 'pytracking' / 'evaluation' / 'local.py').write_text(
        'from pytracking.evaluation.environment import EnvSettings\n\n\ndef local_env_settings():\n'
        f'    settings = EnvSettings()\n    settings.results_path = {str(workspace / "results")!r}\n'
        '    return settings\n', encoding='utf-8')


def _copy(source: str | Path, target: Path) -> None:
    text = (REPO / source).read_text(encoding='utf-8')
    for ours, theirs in CHANGES.items():
        text = text.replace(ours, theirs)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding='utf-8')


def _source(name: str) -> Path | None:
    """File of a module or package of ours or of the tree, relative to either."""
    path = Path(*name.split('.'))
    for candidate in (path.with_suffix('.py'), path / '__init__.py'):
        if (TREE / candidate).is_file() or (REPO / candidate).is_file():
            return candidate
    return None


def _parents(name: str) -> list[str]:
    parts = name.split('.')
    return ['.'.join(parts[:count]) for count in range(1, len(parts))]


def _imported(path: Path) -> Iterator[str]:
    """Modules of the toolkit that a file imports; `from a import b` may mean the module a.b."""
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        if isinstance(node, ast.ImportFrom) and (node.module or '').split('.')[0] in ('ltr', 'pytracking'):
            yield str(node.module)
            yield from (f'{node.module}.{alias.name}' for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split('.')[0] in ('ltr', 'pytracking'))
