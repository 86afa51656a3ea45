"""Where things are on this machine. Edit the values, or set environment variables; both are read at every
start."""

from __future__ import annotations

import os
from pathlib import Path

PREFIX = 'PYTRACKING_'


class EnvironmentSettings:
    """Folders of this machine.

    Each attribute can be overridden by an environment variable: `PYTRACKING_` and its name in capitals, for
    example `PYTRACKING_WORKSPACE_DIR`. None means: not on this machine.

    Attributes:
        workspace_dir: checkpoints, networks and results are written below it.
        tensorboard_dir: tensorboard logs; None writes none.
        pretrained_networks, lasot_dir, got10k_dir, trackingnet_dir, coco_dir: for settings modules of one's own that
            look here. Nothing in this toolkit reads them: training data are given with `--data`, initial weights with
            `--init`, and weights for ImageNet are kept where torchvision puts them.
    """

    def __init__(self) -> None:
        self.workspace_dir: Path = folder('workspace_dir') or Path.cwd() / 'workspace'
        self.tensorboard_dir: Path | None = folder('tensorboard_dir', self.workspace_dir / 'tensorboard')
        self.pretrained_networks: Path | None = folder('pretrained_networks',
                                                       self.workspace_dir / 'pretrained_networks')
        self.lasot_dir: Path | None = folder('lasot_dir')
        self.got10k_dir: Path | None = folder('got10k_dir')
        self.trackingnet_dir: Path | None = folder('trackingnet_dir')
        self.coco_dir: Path | None = folder('coco_dir')


def folder(name: str, default: str | Path | None = None) -> Path | None:
    """The folder that the environment variable of attribute `name` gives, else `default`."""
    value = os.environ.get(PREFIX + name.upper()) or default
    return Path(value).expanduser() if value else None
