"""`--replay FILE`: the step that stopped a run, made again under watch."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from ltr.admin.loading import strict_load
from ltr.admin.multigpu import unwrap
from ltr.trainers import kept_batch

if TYPE_CHECKING:
    from ltr.trainers.ltr_trainer import LTRTrainer


def replay(trainer: LTRTrainer, path: Path) -> None:
    """Make a kept step again, with its weights and its generator, and print what becomes of it; nothing is saved.

    Args:
        trainer: made by the settings of the run that stopped; loses its weights.
        path: see `kept_batch`.

    Raises:
        UserError: no kept batch, or one of another network.
    """
    batch, state, generator, told = kept_batch.read(path)
    net = unwrap(trainer.actor.net)
    strict_load(net, state, path)
    trainer.epoch = int(told['epoch'])
    print(f'epoch {told["epoch"]}, step {told["step"]} of loader {told["loader"]!r}, which stopped as {told["reason"]}')
    for name in told['files']:
        print(f'file: {name}')
    trainer.enter(bool(told['training']))
    torch.set_rng_state(generator)
    # Names the operation whose gradient is the first that is not a number, with the line that called it.
    with torch.autograd.set_detect_anomaly(True), torch.set_grad_enabled(bool(told['training'])):
        loss, values = trainer.forward(trainer.prepare(batch))
        print(', '.join(f'{name} {float(value):g}' for name, value in {'loss': loss.item(), **values}.items()))
        if told['training']:
            try:
                loss.backward()
            except RuntimeError as error:
                print(f'backward: {str(error).splitlines()[0]}')
    norms = {name: kept_batch.norm([weight.grad]) for name, weight in net.named_parameters() if weight.grad is not None}
    broken = [name for name, value in norms.items() if not math.isfinite(value)]
    print(f'gradient: norm {kept_batch.norm([torch.tensor(list(norms.values()))]):g}, not finite in {len(broken)} of '
          f'{len(norms)} weights{f", first {broken[0]}" if broken else ""}')
