"""Candidates, their selection scores, and the lock: what was chosen, before any test frame was looked at."""

from __future__ import annotations

import hashlib
import json
import shutil
from datetime import datetime, timezone
from typing import Any

import numpy as np

from cmd_plugin.errors import UserError
from cmd_plugin.reproduce.children import train
from cmd_plugin.reproduce.clips import by_clip, thermal_clips
from cmd_plugin.reproduce.places import Work, read_json, write_json
from cmd_plugin.reproduce.rows import row_of
from cmd_plugin.reproduce.sizes import Size
from cmd_plugin.reproduce.tracking import FileTracker, figures, track

SEED = 1000
"""Of candidates: none of those that are tested later."""
BY = 'Success on thermal halves against targets detected on visible ones, mean over clips'


def score(work: Work, size: Size, row: str, rate: float, device: str | None) -> None:
    """Train a row at a rate, track the thermal clips after each number of steps, write the scores, keep no network."""
    name = f'{row}_{rate:g}'
    networks = train(work, size, row_of(row, rate), size.steps, SEED, name, device)
    scores = {str(steps): score_of(work, size, path, f'{name}_{steps}', device)
              for steps, path in zip(size.steps, networks, strict=True)}
    write_json(work.candidate(row, rate), {'row': row, 'rate': rate, 'scores': scores})
    for path in networks:
        path.unlink()


def score_untrained(work: Work, size: Size, name: str, device: str | None) -> None:
    """The same for `parent`, or for it with another backbone: no candidate, but tells what a score is worth."""
    write_json(work.candidate(name, 0), {'row': name, 'rate': 0, 'scores': {
        '0': score_of(work, size, work.backbone(name), name, device)}})


def score_of(work: Work, size: Size, network: Any, label: str, device: str | None) -> dict[str, Any]:
    """Success of a network against the pseudo truth, x 100, of each clip and their mean; its tracks are not kept."""
    tracker = FileTracker(label, network, size.crop, work.scratch / 'clips', device)
    sequences = thermal_clips(work)
    track([tracker], sequences, size.threads)
    found = by_clip(work, figures(tracker, sequences)['success'])
    shutil.rmtree(tracker.results_dir)
    return {'success': round(float(np.mean(list(found.values()))), 4), 'by_clip': found}


def choose(work: Work, size: Size) -> None:
    """Write the lock: of each row its best rate and number of steps, rows by falling score, the best `chosen` of them.

    Raises:
        UserError: the test was looked at before.
    """
    if any((work.root / 'evaluation').glob('*.json')):
        raise UserError(f'{work.root / "evaluation"} holds figures of the test, so a choice now would not be blind: '
                        'choose another --workspace')
    best = ranked(work, size)[:size.chosen]
    write_json(work.choice, {'chosen': best, 'scores': digest(best), 'time': now(), 'by': BY})


def ranked(work: Work, size: Size) -> list[dict[str, Any]]:
    """The best of each row, by falling score; of equals the fewer steps, then the smaller rate."""
    best = []
    for row in size.rows:
        found = [{'row': row, 'rate': rate, 'steps': int(steps), 'success': score['success']} for rate in size.rates
                 for steps, score in read_json(work.candidate(row, rate))['scores'].items()]
        best.append(min(found, key=lambda one: (-one['success'], one['steps'], one['rate'])))
    return sorted(best, key=lambda one: (-one['success'], size.rows.index(one['row'])))


def locked(work: Work) -> list[dict[str, Any]]:
    """The choice that stands.

    Raises:
        UserError: none was made, or the file was changed by hand.
    """
    if not work.choice.is_file():
        raise UserError(f'no choice stands yet ({work.choice}): the test is looked at after the selection, so run the '
                        'stage selection first')
    content = read_json(work.choice)
    if content.get('scores') != digest(content.get('chosen')):
        raise UserError(f'{work.choice} was changed after it was written: choose another --workspace')
    return content['chosen']


def digest(chosen: Any) -> str:
    """SHA-256 of a choice."""
    return hashlib.sha256(json.dumps(chosen, sort_keys=True).encode()).hexdigest()


def now() -> str:
    """The time, UTC."""
    return datetime.now(timezone.utc).isoformat(timespec='seconds')
