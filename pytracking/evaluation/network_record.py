"""Which network made the results of a folder, and at which speed: `network.json`, so that neither is mixed.

Finished sequences are skipped, while a parameter file may name the newest checkpoint, or a file that was replaced.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ltr.admin.errors import UserError
from ltr.admin.portable import sha256
from ltr.admin.whole import write_whole

RECORD = 'network.json'


@dataclass(frozen=True)
class NetworkRecord:
    """A network file as it was when a run began.

    Attributes:
        path: of the file.
        size: bytes.
        sha256: hexadecimal digits.
        speed: the preset that it tracks by, see `pytracking.features.speed`; empty where it has none.
    """

    path: str
    size: int
    sha256: str
    speed: str = ''

    def __str__(self) -> str:
        return f'{self.path} (sha256 {self.sha256[:12]})'


@dataclass(frozen=True)
class RunNetwork:
    """What a run keeps to for all its sequences.

    Attributes:
        path: the network's file, absolute.
        modified: its time stamp, ns.
        others: the plain parameters beside the network, as text.
    """

    path: Path
    modified: int
    others: dict[str, str]

    def pin(self, params: Any) -> None:
        """Make fresh parameters name this network, although a newer one may have come into being.

        Raises:
            UserError: the file was replaced or has gone, or what belongs to it has changed since the run began.
        """
        if not self.path.is_file():
            raise UserError(f'{self.path} has gone during the run: put it back, the same command runs the rest')
        if self.path.stat().st_mtime_ns != self.modified:
            raise UserError(f'{self.path} was replaced during the run: remove the results and run again')
        if network_file(params) == self.path:
            return
        if _others(params) != self.others or vars(params.net).get('_net') is not None:
            raise UserError(f'the parameters changed during the run, which began with {self.path} and would go on with '
                            f'{network_file(params)}: remove the results and run again')
        params.net.net_path = str(self.path)


def network_file(params: Any) -> Path | None:
    """The file of `params.net`; None where there is no such network, or it is not in a file.

    Raises:
        UserError: the named network does not exist.
    """
    named = getattr(getattr(params, 'net', None), 'net_path', None)
    if not isinstance(named, (str, Path)):
        return None
    from pytracking.features.net_wrappers import find_network  # trackers without a network do not need it
    path = find_network(named).absolute()
    return path if path.is_file() else None


def run_network(params: Any) -> RunNetwork | None:
    """What a run with these parameters has to keep to; None without a network file. Raises as `network_file`."""
    path = network_file(params)
    return None if path is None else RunNetwork(path, path.stat().st_mtime_ns, _others(params))


def record_of(path: Path, speed: str = '') -> NetworkRecord:
    """Read a network file and make its record, with the preset that it tracks by."""
    return NetworkRecord(str(path), path.stat().st_size, sha256(path), speed)


def check_record(results_dir: Path, now: NetworkRecord) -> None:
    """Make sure that the results in a folder, if there are any, were made with this network at this speed.

    Raises:
        UserError: they were made with another one or at another, or the record cannot be read.
    """
    path = results_dir / RECORD
    if not _has_results(results_dir):
        return
    if not path.is_file():
        print(f'notice: it is not recorded which network made the results in {results_dir}; taken to be {now}',
              file=sys.stderr)
        return
    try:
        before = NetworkRecord(**json.loads(path.read_text(encoding='utf-8')))
    except (OSError, ValueError, TypeError) as error:
        raise UserError(f'cannot read {path} ({error}): remove it and the results beside it') from None
    if before.sha256 != now.sha256:
        raise UserError(f'results in {results_dir} were made with {before}, now the network is {now}: '
                        f'use --runid or --results, or remove them')
    if before.speed and now.speed and before.speed != now.speed:
        raise UserError(f'results in {results_dir} were made with --speed {before.speed}, now it is {now.speed}: use '
                        f'--speed {before.speed}, --runid or --results, or remove them')


def write_record(results_dir: Path, now: NetworkRecord) -> None:
    """Write the record as a whole or not at all; call `check_record` before. Raises `UserError` where it cannot."""
    write_whole(results_dir / RECORD, (json.dumps(asdict(now), indent=2) + '\n').encode())


def _has_results(results_dir: Path) -> bool:
    return any(not path.name.startswith('.') for path in results_dir.glob('*.txt'))


def _others(params: Any) -> dict[str, str]:
    return {name: repr(value) for name, value in vars(params).items()
            if isinstance(value, (bool, int, float, str, tuple, list))}
