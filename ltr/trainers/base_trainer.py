"""Epochs, checkpoints and exact resume."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import torch

from ltr.actors.base_actor import BaseActor
from ltr.admin import checkpoint as files
from ltr.admin import distributed
from ltr.admin.device import pick_device
from ltr.admin.errors import UserError
from ltr.admin.loading import strict_load
from ltr.admin.multigpu import unwrap
from ltr.admin.seeding import capture_rng, restore_rng, seed_everything
from ltr.admin.settings import Settings
from ltr.admin.whole import open_folder
from ltr.models.layers.synced_norm import sync_batch_norms
from ltr.trainers import folder


class BaseTrainer:
    """Runs epochs and keeps checkpoints; subclasses say what an epoch is (`train_epoch`).

    An epoch depends only on weights, optimiser, scheduler, `settings.seed` and its number, since all
    generators are set from (seed, epoch) at its start. So a run that was killed at any moment and is started
    again with the same settings ends with the same weights, on the CPU bit for bit. In several processes (see
    `ltr.admin.distributed`) the steps are the same up to rounding; the first process writes the checkpoints.

    Args:
        actor: network and losses.
        loaders: one or more loaders with `name`, `training`, `epoch_interval`.
        optimizer: a torch optimiser, or anything with its `state_dict`, `load_state_dict`, `zero_grad`,
            `step`, `param_groups`.
        settings: of this run.
        lr_scheduler: stepped once an epoch, after all loaders.

    Raises:
        UserError: the device is not available.
    """

    def __init__(self, actor: BaseActor, loaders: Sequence[Any], optimizer: Any, settings: Settings,
                 lr_scheduler: Any = None) -> None:
        self.actor = actor
        self.loaders = list(loaders)
        self.optimizer = optimizer
        self.lr_scheduler = lr_scheduler
        self.epoch = 0
        self.stats: dict[str, Any] = {}
        self.settings = settings
        self.update_settings()
        self._verified = False
        self._known: Path | None = None
        if distributed.world() > 1:
            sync_batch_norms(unwrap(actor.net))

    def update_settings(self, settings: Settings | None = None) -> None:
        """Read device, seed and folders from `settings` (default: those at hand, after a change)."""
        if settings is not None:
            self.settings = settings
        use_gpu = getattr(self.settings, 'use_gpu', True)
        self.device = distributed.own_device(
            pick_device(getattr(self.settings, 'device', 'auto') if use_gpu else 'cpu'))
        self.seed = int(getattr(self.settings, 'seed', None) or 0)
        self.checkpoint_dir = (Path(self.settings.env.workspace_dir) / 'checkpoints'
                               / self.settings.project_path)
        self.actor.to(self.device)

    def train(self, max_epochs: int, load_latest: bool = False, fail_safe: bool = True) -> None:
        """Train until epoch `max_epochs` is done.

        Args:
            max_epochs: number of the last epoch, counted from the very beginning of the run.
            load_latest: go on from the newest checkpoint of this run, if there is one.
            fail_safe: has no effect; accepted because settings modules written for the stock toolkit pass it.
                There it retries after any error, which hides mistakes and swallows Ctrl-C; here the loop
                ends, and the same command starts again after the last finished epoch.

        Raises:
            UserError: a loss, gradient or weight is not finite, or a checkpoint cannot be read or written.
        """
        kept = self.settings.option('replay', None)
        if kept:
            self.replay(Path(kept))
            return
        if distributed.rank() == 0:
            open_folder(self.checkpoint_dir, 'choose another --workspace')
        self._known = self.checkpoint_dir
        print(f'checkpoints are written to {self.checkpoint_dir}')
        if load_latest and self.load_checkpoint():
            print(f'going on after epoch {self.epoch}')
        if self.epoch >= max_epochs:
            print(f'nothing to do: epoch {self.epoch} of {max_epochs} is done')
        if distributed.world() > 1:
            distributed.check_equal('epoch and weights', [self.epoch, *(
                float(value.double().sum()) for value in unwrap(self.actor.net).state_dict().values())])
        try:
            for epoch in range(self.epoch + 1, max_epochs + 1):
                self.epoch = epoch
                seed_everything(self.seed, epoch)
                self.train_epoch()
                if self.lr_scheduler is not None:
                    self.lr_scheduler.step()
                self.save_checkpoint()
        except (KeyboardInterrupt, SystemExit):  # Ctrl-C, SIGTERM
            if distributed.rank() == 0 and not distributed.told_elsewhere():
                print(f'\n{folder.stopped(self.checkpoint_dir, self.net_type, self.epoch)}', file=sys.stderr)
            raise
        print(f'final checkpoint: {self.checkpoint_path(self.epoch)}')

    def replay(self, path: Path) -> None:
        """Make the step again that stopped a run, see `ltr.trainers.replay`."""
        raise UserError('this trainer keeps no batches: leave --replay out')

    def train_epoch(self) -> None:
        """One epoch over the loaders."""
        raise NotImplementedError

    @property
    def net_type(self) -> str:
        """Class name of the network, the first part of checkpoint names."""
        return type(unwrap(self.actor.net)).__name__

    def checkpoint_path(self, epoch: int) -> Path:
        """File of the checkpoint after `epoch`."""
        return self.checkpoint_dir / f'{self.net_type}_ep{epoch:04d}{files.SUFFIX}'

    def save_checkpoint(self) -> Path:
        """Write the checkpoint of the finished epoch, if this is the first process, and return its path.

        Raises:
            UserError: a weight is not finite, or the file cannot be written.
        """
        net = unwrap(self.actor.net)
        state = net.state_dict()
        broken = [name for name, value in state.items() if not torch.isfinite(value).all()]
        if broken:
            raise UserError(f'epoch {self.epoch} ended with weights that are not finite ({broken[0]} and '
                            f'{len(broken) - 1} more); not saved. {self._way_back()}')
        if distributed.rank():
            return self.checkpoint_path(self.epoch)
        contents = {
            'epoch': self.epoch,
            'actor_type': type(self.actor).__name__,
            'net_type': self.net_type,
            'net': state,
            'net_info': getattr(net, 'info', None),
            'constructor': getattr(net, 'constructor', None),
            'optimizer': self.optimizer.state_dict(),
            'stats': self.stats,
            'settings': self.settings,
            'lr_scheduler': None if self.lr_scheduler is None else self.lr_scheduler.state_dict(),
            'rng': capture_rng(),
        }
        if self._known is not None:
            folder.check_there(self._known, self.epoch)
        path = files.save(self.checkpoint_path(self.epoch), contents, verify=not self._verified)
        self._verified = True
        self._known = path
        folder.remove_old(self.checkpoint_dir, self.net_type, getattr(self.settings, 'keep_checkpoints', None))
        return path

    def load_checkpoint(self, checkpoint: int | str | Path | None = None, fields: Iterable[str] | None = None,
                        ignore_fields: Iterable[str] | None = None, load_constructor: bool = False) -> bool:
        """Restore the state of a checkpoint.

        Args:
            checkpoint: epoch number or file; default: the newest of this run and this network type.
            fields: keys to restore; default: all of epoch, net, net_info, optimizer, stats, lr_scheduler,
                rng.
            ignore_fields: keys to leave.
            load_constructor: take the constructor of the file, too.

        Returns:
            Whether there was one; False only without `checkpoint`.

        Raises:
            UserError: the asked-for checkpoint does not exist, the file is damaged, or it is of another
                network or optimiser.
        """
        path = self._locate(checkpoint)
        if path is None:
            return False
        contents = files.read(path)
        self._known = path
        if contents.get('net_type', self.net_type) != self.net_type:
            raise UserError(f'{path} is of a {contents["net_type"]}, not of a {self.net_type}')
        chosen = set(contents if fields is None else fields) - set(ignore_fields or ())
        self._compare_settings(contents.get('settings'), path)
        restore = {
            'net': lambda value: strict_load(unwrap(self.actor.net), value, path),
            'net_info': lambda value: setattr(unwrap(self.actor.net), 'info', value),
            'optimizer': lambda value: self._restore_optimizer(value, path),
            'stats': lambda value: setattr(self, 'stats', value),
            'epoch': lambda value: setattr(self, 'epoch', int(value)),
            'rng': restore_rng,
        }
        for key, put in restore.items():
            if key in chosen and contents.get(key) is not None:
                put(contents[key])
        self._restore_scheduler(contents, chosen)
        if load_constructor and contents.get('constructor') is not None:
            object.__setattr__(unwrap(self.actor.net), 'constructor', contents['constructor'])
        return True

    def _locate(self, checkpoint: int | str | Path | None) -> Path | None:
        if isinstance(checkpoint, (str, Path)):
            return Path(checkpoint).expanduser()
        found = files.newest(self.checkpoint_dir, self.net_type, checkpoint)
        if found is None and checkpoint is not None:
            raise UserError(f'no checkpoint of epoch {checkpoint}: {self.checkpoint_path(checkpoint)}')
        return found

    def _restore_optimizer(self, state: Any, path: Path) -> None:
        try:
            self.optimizer.load_state_dict(state)
        except (ValueError, KeyError) as error:
            raise UserError(f'{path} is of a run with another optimiser or other trained weights ({error}); '
                            'choose another --workspace, or start with --init') from error

    def _restore_scheduler(self, contents: dict[str, Any], chosen: set[str]) -> None:
        if self.lr_scheduler is None:
            return
        if 'lr_scheduler' in chosen and contents.get('lr_scheduler') is not None:
            self.lr_scheduler.load_state_dict(contents['lr_scheduler'])
        elif 'epoch' in chosen:  # files of the stock toolkit
            self.lr_scheduler.last_epoch = self.epoch

    def _compare_settings(self, saved: Any, path: Path) -> None:
        changed = self.settings.changes_since(saved) if isinstance(saved, Settings) else []
        if changed:
            print(f'notice: {path.name} was made with other settings ({"; ".join(changed)}); '
                  'optimiser and learning rates go on as in the checkpoint')

    def _way_back(self) -> str:
        return folder.way_back(self.checkpoint_dir, self.net_type)
