"""The folder of a run's checkpoints: there, writable, and what is in it."""

from __future__ import annotations

from pathlib import Path

from ltr.admin import checkpoint as files
from ltr.admin.errors import UserError


def check_there(known: Path, epoch: int) -> None:
    """Make sure that what this run has seen in its folder, or the folder, is still there: an unmounted disk would
    otherwise be written beside.

    Raises:
        UserError: it has gone.
    """
    if not known.exists():
        raise UserError(f'epoch {epoch} cannot be saved: {known} has gone during the run; put it back (or mount its '
                        'disk again), then the same command goes on after the newest checkpoint that is there')


def stopped(folder: Path, net_type: str, epoch: int) -> str:
    """What to tell when a run is stopped in `epoch`: how the same command goes on, and what is saved."""
    last = files.newest(folder, net_type)
    if last is None:
        return f'stopped in epoch {epoch}; the same command begins anew (nothing is saved in {folder})'
    number = int(last.name.removesuffix(files.SUFFIX)[-4:])
    return f'stopped in epoch {epoch}; the same command goes on after epoch {number} (saved: {last})'


def way_back(folder: Path, net_type: str) -> str:
    """What to do when a run has broken."""
    last = files.newest(folder, net_type)
    kept = f'The last good checkpoint is {last}' if last else 'There is no earlier checkpoint'
    return f'{kept}; try a smaller --lr-scale and look at the data'


def remove_old(folder: Path, net_type: str, keep: int | None) -> None:
    """Leave the newest `keep` checkpoints, at least one; None leaves all."""
    if keep is not None:
        for path in sorted(folder.glob(f'{net_type}_ep????{files.SUFFIX}'))[:-max(int(keep), 1)]:
            path.unlink(missing_ok=True)
