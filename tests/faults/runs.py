"""The tiny training of `tests/training`, for tests here."""

from __future__ import annotations

import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / 'training'))

from tiny_training import TinyActor, TinyData, TinyLoader, make_trainer, tiny_net

from ltr.admin.settings import Settings

__all__ = ['TinyActor', 'TinyData', 'TinyLoader', 'files_of_at_most', 'make_trainer', 'settings_in', 'tiny_net']


def settings_in(workspace: Path) -> Settings:
    """Settings of a run on the CPU; the workspace must also be named by the environment."""
    settings = Settings()
    settings.env.workspace_dir = workspace
    settings.env.tensorboard_dir = workspace / 'tensorboard'
    settings.device, settings.project_path = 'cpu', 'ltr/tiny/plain'
    return settings


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """A disk on which no file of this process grows beyond so many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
