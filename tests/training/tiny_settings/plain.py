"""Trains; the process kills itself in the epoch and step that TINY_KILL_AT names."""

import os

from tiny_training import kill, make_trainer

from ltr.admin.settings import Settings


def run(settings: Settings) -> None:
    where = os.environ.get('TINY_KILL_AT')
    at = {tuple(int(part) for part in where.split(':')): kill} if where else None
    settings.device = 'cpu'
    trainer = make_trainer(settings, at, settings.option('workers', 0), settings.option('samples', 12))
    trainer.train(settings.option('epochs', 2), load_latest=True)
