"""`--upstream DIR`, and the commands `train`, `track`, `attach` and `detach`."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from cmd_plugin.errors import UserError
from cmd_plugin.upstream import attaching, hooks
from cmd_plugin.upstream.activation import ROOT, active, stray_toolkit
from cmd_plugin.upstream.attached import VARIABLE
from cmd_plugin.upstream.checkout import SCRIPTS, checked, known_name, writes_bytecode_unseen

WITH_STOCK = ('train', 'track', 'doctor', 'recipes', 'merge', 'detect')
"""Commands that need no more than the stock toolkit has."""
START = Path(__file__).resolve().parent / 'start'
OPTIONS = ('data', 'init', 'net', 'epochs', 'samples', 'batch', 'lr-scale', 'workers', 'seed', 'device', 'workspace')
"""Flags of our own training script, which become the variables that the plugin reads, such as CMD_LR_SCALE."""
PATHS = ('data', 'init', 'workspace')


def split(arguments: Sequence[str]) -> tuple[str | None, list[str]]:
    """Take `--upstream DIR` out of a command line, wherever it stands; `None` without it."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument('--upstream')
    found, rest = parser.parse_known_args(list(arguments))
    return found.upstream, rest


def elsewhere(arguments: Sequence[str]) -> int | None:
    """Run what belongs into another process: scripts, and everything with `--upstream`.

    Args:
        arguments: the command line of the plugin.

    Returns:
        The exit status; `None` where the command is for this process.

    Raises:
        UserError: not a checkout, wrong arguments, or another toolkit than the plugin's own lies in the way.
    """
    given, rest = split(arguments)
    checkout = given if given is not None else active()
    script = rest[:1] == ['train'] or rest[:1] == ['track']
    if given is not None or (script and checkout is not None):
        return launch(str(checkout), rest)
    if script:
        return _become([str(ROOT / SCRIPTS[rest[0]]), *rest[1:]], dict(os.environ))
    stray = stray_toolkit()
    if stray is not None and rest[:1] not in (['doctor'], ['attach'], ['detach']):
        raise UserError(f'ltr would come from {stray}, of which the plugin has not been told: use --upstream '
                        f'{stray}, or run this from another folder')
    return None


def launch(checkout: str | Path, arguments: Sequence[str]) -> int:
    """Run a command of the plugin on a stock checkout, in a process of its own.

    `train` and `track` run the stock scripts; all others run as they are, with the checkout's toolkit in use.

    Args:
        checkout: the folder.
        arguments: the command and what follows it.

    Returns:
        The exit status; where the system can replace a process, this one becomes the new one instead.

    Raises:
        UserError: not a checkout, or wrong arguments.
    """
    folder = checked(checkout)
    if not arguments or arguments[0] not in WITH_STOCK:
        raise UserError(f'--upstream is for the commands {", ".join(WITH_STOCK)}; '
                        f'{arguments[0] if arguments else "no command"} was given')
    environment = environment_for(folder)
    if arguments[:1] == ['train']:
        command, variables = training(arguments[1:])
    elif arguments[:1] == ['track']:
        command, variables = tracking(arguments[1:])
    else:
        command, variables = ['-m', 'cmd_plugin', *arguments], {}
    environment.update(variables)
    return _become([*(str(folder / SCRIPTS[name]) for name in arguments[:1] if name in SCRIPTS), *command], environment)


def _become(command: list[str], environment: dict[str, str]) -> int:
    """Run Python in place of this process, where the system can do that: signals then reach whom they are for."""
    whole = [sys.executable, *command]
    if os.name != 'nt':
        sys.stdout.flush()
        os.execve(sys.executable, whole, environment)
    return subprocess.call(whole, env=environment)


def environment_for(checkout: Path) -> dict[str, str]:
    """Variables of a process, and of its children, that uses a checkout."""
    paths = [str(START), *filter(None, os.environ.get('PYTHONPATH', '').split(os.pathsep))]
    made = {**os.environ, VARIABLE: str(checkout), 'PYTHONPATH': os.pathsep.join(paths)}
    return made if writes_bytecode_unseen(checkout) else {**made, 'PYTHONDONTWRITEBYTECODE': '1'}


def training(arguments: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Command line of the stock training script, and the variables that stand for flags which it does not know.

    Raises:
        UserError: no such recipe.
    """
    parser = argparse.ArgumentParser(prog='python -m cmd_plugin --upstream DIR train', allow_abbrev=False)
    parser.add_argument('module', metavar='MODULE', help='such as cmd_dimp')
    parser.add_argument('name', metavar='NAME', help='such as d3')
    for name in OPTIONS:
        action = 'append' if name == 'data' else 'store'
        parser.add_argument(f'--{name}', action=action, help=f'as CMD_{name.upper().replace("-", "_")}')
    options, rest = parser.parse_known_args(list(arguments))
    if options.module in hooks.trackers():
        known_name(f'train setting of {options.module}', options.name,
                   hooks.FOLDERS['ltr.train_settings'] / options.module)
    variables = {}
    for name in OPTIONS:
        value = getattr(options, name.replace('-', '_'))
        if value is not None:
            values = value if isinstance(value, list) else [value]
            values = [str(Path(text).expanduser().resolve()) for text in values] if name in PATHS else values
            variables[f'CMD_{name.upper().replace("-", "_")}'] = os.pathsep.join(values)
    return [options.module, options.name, *rest], variables


def tracking(arguments: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Command line of the stock tracking script, and the variable for the folder of the data set.

    Raises:
        UserError: `--data` without a data set of the plugin, or no such parameters.
    """
    parser = argparse.ArgumentParser(prog='python -m cmd_plugin --upstream DIR track', allow_abbrev=False)
    parser.add_argument('tracker', metavar='TRACKER', help='such as cmd_dimp')
    parser.add_argument('parameters', metavar='PARAM', help='such as default')
    parser.add_argument('--dataset', '--dataset_name', dest='dataset', help='such as lsotb_tir')
    parser.add_argument('--data', help='folder of a data set of the plugin')
    options, rest = parser.parse_known_args(list(arguments))
    if options.tracker in hooks.trackers():
        known_name(f'parameters of {options.tracker}', options.parameters,
                   hooks.FOLDERS['pytracking.parameter'] / options.tracker)
    command = [options.tracker, options.parameters, *rest]
    if options.dataset:
        command += ['--dataset_name', options.dataset]
    if options.data is None:
        return command, {}
    if options.dataset not in hooks.DATASETS:
        raise UserError(f'--data is for the data sets {" and ".join(hooks.DATASETS)}; others of the stock toolkit are '
                        'named in its pytracking/evaluation/local.py')
    return command, {f'PYTRACKING_{options.dataset.upper()}_PATH': str(Path(options.data).expanduser().resolve())}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Of `attach` and `detach`."""
    parser.add_argument('checkout', metavar='DIR', type=Path, help='folder of the stock toolkit')


def attach(options: argparse.Namespace) -> None:
    """`attach DIR`."""
    attaching.attach(options.checkout)


def detach(options: argparse.Namespace) -> None:
    """`detach DIR`."""
    attaching.detach(options.checkout)
