"""The trainer of all trackers here: one step a batch, statistics, progress."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import torch
from torch import Tensor, nn

from ltr.actors.base_actor import BaseActor
from ltr.admin import distributed
from ltr.admin.errors import UserError
from ltr.admin.loading import SAFETENSORS
from ltr.admin.multigpu import unwrap
from ltr.admin.seeding import loader_generator
from ltr.admin.settings import Settings
from ltr.admin.stats import AverageMeter, StatValue
from ltr.admin.tensorboard import TensorboardWriter
from ltr.admin.visdom_writer import writer_of
from ltr.data.loader import LTRLoader
from ltr.tensors import TensorDict
from ltr.trainers import kept_batch
from ltr.trainers.base_trainer import BaseTrainer
from ltr.trainers.progress import Progress

PRECISIONS = {'float32': torch.float32, 'bfloat16': torch.bfloat16}
"""Of `settings.precision`; float16, which would need a scaled loss, is none of them."""


class LTRTrainer(BaseTrainer):
    """Cycles over its loaders in every epoch.

    Reads `settings.print_interval, print_stats, move_data_to_gpu, grad_clip_max_norm, grad_norm_limit, replay, device,
    seed, precision`, and for curves on a visdom server `use_visdom, visdom_server, visdom_port`.

    Args:
        actor, loaders, optimizer, settings, lr_scheduler: see `BaseTrainer`.
        freeze_backbone_bn_layers: keep the batch norms of `net.feature_extractor` in evaluation mode.
    """

    def __init__(self, actor: BaseActor, loaders: Sequence[Any], optimizer: Any, settings: Settings,
                 lr_scheduler: Any = None, freeze_backbone_bn_layers: bool = False) -> None:
        super().__init__(actor, loaders, optimizer, settings, lr_scheduler)
        self.freeze_backbone_bn_layers = freeze_backbone_bn_layers
        self.precision = _precision(settings.option('precision', 'float32'))
        self.stats = OrderedDict((loader.name, None) for loader in self.loaders)
        self._tensorboard: TensorboardWriter | None = None
        self._visdom = None if distributed.rank() else writer_of(settings)
        alone = [loader.name for loader in self.loaders if not isinstance(loader, LTRLoader)]
        if alone and distributed.world() > 1:
            raise UserError(f'loader {alone[0]!r} cannot be shared by several processes: it is no LTRLoader')

    def train_epoch(self) -> None:
        """One epoch: every loader whose `epoch_interval` divides the epoch number, in the given order."""
        waits = {}
        for index, loader in enumerate(self.loaders):
            if self.epoch % loader.epoch_interval == 0:
                loader.generator = loader_generator(self.seed, self.epoch, index)
                waits[loader.name] = self.cycle_dataset(loader)
        for name in waits:
            for value in (self.stats[name] or {}).values():
                if isinstance(value, AverageMeter):
                    value.new_epoch()
        # Not among the statistics: checkpoints of equal runs are equal, times are not.
        newest = {name: {**self.stats[name], 'Loader/wait_share': wait} for name, wait in waits.items()}
        if distributed.rank():
            return
        self._write_tensorboard(newest)
        if self._visdom is not None:
            self._visdom.write_epoch(newest, self.epoch)

    def cycle_dataset(self, loader: Any) -> StatValue:
        """Work through one loader, with weight updates if it is a training loader.

        Returns:
            Share of the time that was spent waiting for batches, in [0, 1].

        Raises:
            UserError: the loader is empty, or a loss or gradient is not finite; the batch is kept (`kept_batch`).
        """
        self.enter(loader.training)
        if len(loader) == 0:
            raise UserError(f'loader {loader.name!r} gives no batch: fewer samples than the batch size?')
        stats = self._stats_of(loader)
        progress = Progress(loader, self.epoch, getattr(self.settings, 'print_interval', 0),
                            getattr(self.settings, 'print_stats', None))
        with torch.set_grad_enabled(loader.training):
            for step, data in enumerate(progress, 1):
                size = _batch_size(data, loader)
                values = self._step(self.prepare(data), loader, step)
                for name, value in values.items():
                    meter = stats.setdefault(name, AverageMeter())
                    if isinstance(meter, AverageMeter):
                        meter.update(value, size)
                progress.update(stats)
        wait = StatValue()
        wait.update(progress.wait_share)
        return wait

    def _step(self, data: Any, loader: Any, step: int) -> dict[str, float]:
        generator = torch.get_rng_state()
        loss, values = self.forward(data)
        shown = distributed.means({'': loss.item(), **{name: float(value) for name, value in values.items()}})
        mean = shown.pop('')
        if not math.isfinite(mean):
            self._stop(f'the loss is {mean}', data, loader, step, generator)
        if loader.training:
            self.optimizer.zero_grad()
            loss.backward()
            distributed.average_gradients(self.actor.net.parameters())
            norm, limit = self._clipped_norm(), self.settings.option('grad_norm_limit', math.inf)
            if not math.isfinite(norm) or norm > limit:
                over = f', above grad_norm_limit {limit:g}' if math.isfinite(norm) else ''
                self._stop(f'the gradient has norm {norm:g}{over}', data, loader, step, generator)
            self.optimizer.step()
        return shown

    def forward(self, data: Any) -> tuple[Tensor, dict[str, float]]:
        """Loss and statistics of a prepared batch, in the precision of the settings; gradient flows."""
        with torch.autocast(self.device.type, self.precision, enabled=self.precision != torch.float32):
            return self.actor(data)

    def _clipped_norm(self) -> float:
        """Norm of the gradient, which is then scaled down to `settings.grad_clip_max_norm`, if that is set."""
        max_norm = getattr(self.settings, 'grad_clip_max_norm', None)
        if max_norm:
            return float(nn.utils.clip_grad_norm_(self.actor.net.parameters(), max_norm))
        return kept_batch.norm([weight.grad for weight in self.actor.net.parameters() if weight.grad is not None])

    def _stop(self, reason: str, data: Any, loader: Any, step: int, generator: Tensor) -> NoReturn:
        """End the run with the batch's files named, and the step kept to be made again."""
        names = kept_batch.files_of(data)
        told = {'reason': reason, 'epoch': self.epoch, 'step': step, 'loader': loader.name,
                'training': loader.training, 'files': names}
        part = f'_{distributed.rank()}' if distributed.world() > 1 else ''
        path = (Path(self.settings.env.workspace_dir) / 'stopped' / self.settings.project_path
                / f'ep{self.epoch:04d}_{loader.name}_step{step}{part}{SAFETENSORS}')
        try:
            kept_batch.keep(path, data, unwrap(self.actor.net).state_dict(), generator, told)
            kept = f'kept with the weights in {path}: the same command with --replay {path} makes the step again'
        except UserError as error:
            kept = f'not kept: {error}'
        shown = ', '.join(names[:3]) + (f' and {len(names) - 3} more' if len(names) > 3 else '') or 'not known'
        raise UserError(f'{reason} in epoch {self.epoch}, step {step} of loader {loader.name!r}; nothing of this epoch '
                        f'is saved. Its batch (files: {shown}) is {kept}. {self._way_back()}')

    def replay(self, path: Path) -> None:
        """Make the step again that stopped a run, and print what becomes of it; see `ltr.trainers.replay`."""
        from ltr.trainers.replay import replay
        replay(self, path)

    def prepare(self, data: Any) -> Any:
        """A loader's batch as the actor takes it: on the device, with `epoch` and `settings`."""
        if getattr(self.settings, 'move_data_to_gpu', True):
            data = to_device(data, self.device)
        data['epoch'] = self.epoch
        data['settings'] = self.settings
        return data

    def _stats_of(self, loader: Any) -> OrderedDict[str, AverageMeter | StatValue]:
        stats = self.stats.get(loader.name)
        if stats is None:
            stats = self.stats[loader.name] = OrderedDict()
        if loader.training:
            for index, group in enumerate(self.optimizer.param_groups):
                stats.setdefault(f'LearningRate/group{index}', StatValue()).update(group['lr'])
        return stats

    def enter(self, training: bool) -> None:
        """Put the actor's network into the mode of a loader; batch norms of the backbone as the trainer was told."""
        self.actor.train(training)
        if training and self.freeze_backbone_bn_layers:
            self._freeze_backbone_batch_norm()

    def _freeze_backbone_batch_norm(self) -> None:
        backbone = unwrap(self.actor.net).feature_extractor
        if isinstance(backbone, nn.Module):
            for module in backbone.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.eval()

    def _write_tensorboard(self, newest: Mapping[str, Any]) -> None:
        if self._tensorboard is None:
            folder = getattr(self.settings.env, 'tensorboard_dir', None)
            self._tensorboard = TensorboardWriter(
                Path(folder) / self.settings.project_path if folder else None,
                [loader.name for loader in self.loaders])
        self._tensorboard.write_epoch(newest, self.epoch)


def to_device(data: Any, device: torch.device) -> Any:
    """`data` with all its tensors on `device`, at any depth of dictionaries, lists and tuples."""
    if isinstance(data, Tensor):
        return data.to(device, non_blocking=True)
    if isinstance(data, TensorDict):
        return TensorDict((key, to_device(value, device)) for key, value in data.items())
    if isinstance(data, Mapping):
        return {key: to_device(value, device) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return type(data)(to_device(item, device) for item in data)
    return data


def _batch_size(data: Any, loader: Any) -> int:
    axis = getattr(loader, 'stack_dim', 0)
    for value in data.values():
        if isinstance(value, Tensor) and value.ndim > axis:
            return int(value.shape[axis])
    return int(loader.batch_size or 1)


def _precision(name: str) -> torch.dtype:
    if name not in PRECISIONS:
        raise UserError(f'settings.precision must be one of {", ".join(PRECISIONS)}, not {name!r}')
    return PRECISIONS[name]
