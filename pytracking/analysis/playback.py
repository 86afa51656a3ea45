"""Pictures of trackers' results, frame by frame."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import cv2

from ltr.admin.whole import write_whole
from pytracking.evaluation.data import Sequence
from pytracking.evaluation.environment import local_env_settings
from pytracking.evaluation.tracker import Tracker
from pytracking.visualization.sequence_video import drawn_frames


def playback_results(trackers: Iterable[Tracker], sequence: Sequence) -> list[Path]:
    """Draw the saved boxes of trackers, and the ground truth in white, on every frame of a sequence.

    Returns:
        The pictures, `{result_plot_path}/playback/SEQUENCE/000001.png` and so on.

    Raises:
        UserError: a result is missing or malformed, or a frame cannot be read or written.
    """
    folder = Path(local_env_settings().result_plot_path) / 'playback' / sequence.name
    pictures = []
    for number, picture in enumerate(drawn_frames(trackers, sequence), 1):
        pictures.append(folder / f'{number:06d}.png')
        _, data = cv2.imencode('.png', cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        write_whole(pictures[-1], data.tobytes())
    return pictures
