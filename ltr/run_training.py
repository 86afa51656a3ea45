"""Start a training run: `python ltr/run_training.py MODULE NAME [options]`.

In N processes, which share each batch: `torchrun --nproc_per_node N ltr/run_training.py MODULE NAME [options]`.
"""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == '__main__' and not __package__:
    # As a script, Python puts ltr/ itself first on the path, where `import dataset` would find ltr/dataset.
    _here = Path(__file__).resolve().parent
    sys.path[:] = [str(_here.parent), *(entry for entry in sys.path if Path(entry).resolve() != _here)]

import argparse
import os
import pkgutil
from typing import Any

from ltr.admin import distributed, plugins
from ltr.admin.arguments import number, positive
from ltr.admin.errors import UserError, cli
from ltr.admin.seeding import seed_everything
from ltr.admin.settings import Settings
from ltr.admin.users_code import import_users

FLAGS = ('data', 'init', 'net', 'epochs', 'samples', 'batch', 'lr_scale', 'device', 'seed', 'workers',
         'replay', 'use_visdom', 'visdom_server', 'visdom_port')


def run_training(train_module: str, train_name: str, workspace: str | Path | None = None,
                 cudnn_benchmark: bool = True, **flags: Any) -> Settings:
    """Run the settings file `train_name` of the package `train_module`.

    Args:
        train_module: name in the plugin group `pytracking.train_settings`, such as `dimp`.
        train_name: module in that package with a function `run(settings)`, such as `dimp50`.
        workspace: folder for checkpoints and logs; sets `PYTRACKING_WORKSPACE_DIR` for this process.
        cudnn_benchmark: let cuDNN time its algorithms; faster for crops of one size, differs from run to run.
        flags: values of `FLAGS`; None means not given, and the settings file takes its own default.

    Returns:
        The settings as the run left them.

    Raises:
        UserError: unknown module or name, and whatever the run reports.
        ImportError: of the settings file itself, as it is.
    """
    unknown = sorted(set(flags) - set(FLAGS))
    if unknown:
        raise TypeError(f'unknown training option {unknown[0]!r}; known: {", ".join(FLAGS)}')
    module = find_settings(train_module, train_name)
    if workspace is not None:
        os.environ['PYTRACKING_WORKSPACE_DIR'] = str(Path(workspace).expanduser().resolve())
    settings = Settings()
    settings.module_name, settings.script_name = train_module, train_name
    settings.project_path = f'ltr/{train_module}/{train_name}'
    settings.given = tuple(name for name, value in flags.items() if value is not None)
    for name in settings.given:
        setattr(settings, name, flags[name])
    _cudnn_benchmark(cudnn_benchmark)
    # Initial weights are drawn before the first epoch, so they need the seed as well.
    seed_everything(settings.seed)
    module.run(settings)
    return settings


def find_settings(train_module: str, train_name: str) -> Any:
    """Import the settings module `train_name` of the package registered as `train_module`.

    Modules whose names begin with an underscore are shared parts, not settings.

    Raises:
        UserError: unknown name, with near names and the list, or a module without `run`.
    """
    package = plugins.load('pytracking.train_settings', train_module)
    modules = pkgutil.iter_modules(package.__path__)
    known = sorted(info.name for info in modules if not info.name.startswith('_'))
    if train_name not in known:
        raise UserError(plugins.unknown(f'train setting of {train_module}', train_name, known))
    module = import_users(f'{package.__name__}.{train_name}')
    if not callable(getattr(module, 'run', None)):
        raise UserError(f'{module.__file__} has no function run(settings): write one')
    return module


def _cudnn_benchmark(value: bool) -> None:
    import torch
    torch.backends.cudnn.benchmark = value


def parser() -> argparse.ArgumentParser:
    """The command line."""
    result = argparse.ArgumentParser(
        description='Train a tracker. A run that was stopped goes on after its last finished epoch.')
    result.add_argument('module', metavar='MODULE', help='group of settings, for example dimp')
    result.add_argument('name', metavar='NAME', help='settings file, for example dimp50')
    result.add_argument('--data', metavar='DIR', type=Path, action='append',
                        help='training data; may be repeated')
    result.add_argument('--init', metavar='PATH', type=Path,
                        help='initial weights: a checkpoint or .safetensors')
    result.add_argument('--net', metavar='NAME', help='network, where the setting leaves a choice, such as dimp18')
    result.add_argument('--epochs', metavar='N', type=number(1), help='last epoch')
    result.add_argument('--samples', metavar='N', type=number(1), help='samples an epoch')
    result.add_argument('--batch', metavar='N', type=number(1), help='samples a batch, of all processes together')
    result.add_argument('--lr-scale', metavar='F', type=positive, help='factor on all learning rates')
    result.add_argument('--device', help='auto (default), cpu, cuda, cuda:1, mps')
    result.add_argument('--seed', metavar='N', type=number(0), help='of everything random (default 0)')
    result.add_argument('--workers', metavar='N', type=number(0), help='processes that read data')
    result.add_argument('--replay', metavar='FILE', type=Path,
                        help='make the step again that stopped a run, from the file that it names, and train nothing')
    result.add_argument('--use_visdom', action='store_true', default=None,
                        help='curves on a visdom server that runs already (python -m visdom.server)')
    result.add_argument('--visdom_server', metavar='HOST', help='default 127.0.0.1')
    result.add_argument('--visdom_port', metavar='P', type=number(1), help='default 8097')
    result.add_argument('--workspace', metavar='DIR', type=Path, help='folder for checkpoints and logs')
    return result


def main(argv: list[str] | None = None) -> int:
    """Command line; returns the exit status."""
    given = vars(parser().parse_args(argv))
    with distributed.session():
        run_training(given.pop('module'), given.pop('name'), **given)
    return 0


def entry() -> None:
    """Console script."""
    cli(main)


if __name__ == '__main__':
    entry()
