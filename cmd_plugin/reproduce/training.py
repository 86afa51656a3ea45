"""What both trainings share: settings without a settings module, and a trainer that goes on where it was."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from ltr.admin.settings import Settings


def settings(root: Path, name: str, seed: int, device: str | None, precision: str) -> Settings:
    """Settings of a training whose checkpoints lie in `ROOT/checkpoints/NAME`; only the newest stays."""
    made = Settings()
    made.env.workspace_dir, made.env.tensorboard_dir = root, None
    made.project_path = name
    made.seed = seed
    made.keep_checkpoints = 1
    made.print_interval = 0
    made.precision = precision
    if device is not None:
        made.device = device
    return made


def newest(trainer: Any) -> Path:
    """The checkpoint of the last finished epoch."""
    return trainer.checkpoint_path(trainer.epoch)


def forget(trainer: Any) -> None:
    """Remove the checkpoints of a finished training."""
    shutil.rmtree(trainer.checkpoint_dir, ignore_errors=True)
