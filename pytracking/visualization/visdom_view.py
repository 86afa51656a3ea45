"""The live view: a page of a visdom server with the frame, the search region and the score map, pause and step."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ltr.admin.visdom_writer import PORT, SERVER, connect
from pytracking.visualization.drawing import cut_out, draw, for_display

FRAME, SEARCH, SCORES, CONFIDENCE, CONTROL = 'tracking', 'search_region', 'score_map', 'confidence', 'control'
HELP = 'click here, then: <b>space</b> pauses and goes on, <b>&rarr;</b> goes one frame on'
BOUNCE = 0.2         # s in which the same key counts once: visdom's page sends some keys twice
PATIENCE = 2.0       # s between two looks, while paused, whether the server is there
SIDES = (400, 800)  # px, least and greatest longer side of the frame as it is sent


class VisdomView:
    """A `Visualizer` on a visdom server. A server that goes away ends the view, not the run; that is said once.

    Args:
        server, port: where the server is; see `ltr.admin.visdom_writer.connect`, which raises for this class.
        level: above 0, the confidence of all frames so far is drawn, too.
        env: visdom's environment, that is, page.
    """

    def __init__(self, server: str = SERVER, port: int = PORT, level: int = 0, env: str = 'main') -> None:
        self.view: Any = connect(server, port, env, listen=True)
        self.level = level
        self.paused, self.step = False, False
        self.key: str | None = None
        self.pressed = 0.0
        self.sequence, self.frame, self.begun = '', 0, False
        self.view.text(HELP, win=CONTROL, opts={'title': 'control', 'height': 130, 'width': 400})
        self.view.register_event_handler(self._on_event, CONTROL)

    def show(self, title: str, image: np.ndarray, boxes: Mapping[str, Sequence[float]],
             output: Mapping[str, Any]) -> None:
        """See `Visualizer`. While paused, does not return before space or the right arrow is pressed."""
        if self.view is None:
            return
        try:
            self._send(title, image, boxes, output)
            self._hold(title)
        except ConnectionError:
            print('notice: the visdom server is gone, the run goes on without it', file=sys.stderr)
            self.view = None

    def close(self) -> None:
        """The page stays on the server; its keys do nothing any more."""
        if self.view is not None:
            self.view.use_socket = False  # else the client's thread would connect anew
            self.view = None

    def _send(self, title: str, image: np.ndarray, boxes: Mapping[str, Sequence[float]],
              output: Mapping[str, Any]) -> None:
        height, width = image.shape[:2]
        longest = min(max(height, width, SIDES[0]), SIDES[1])
        self._image(FRAME, title, cut_out(draw(image, boxes, title), (0, 0, width, height), longest))
        if output.get('search_area') is not None:
            self._image(SEARCH, 'search region', cut_out(for_display(image), output['search_area']))
        if output.get('score_map') is not None:
            scores = np.asarray(output['score_map'], dtype=float)
            # Row 0 of the map lies at the top of the image, row 0 of a plot at its bottom.
            layout = {'plotly': {'yaxis': {'autorange': 'reversed', 'scaleanchor': 'x'}}}
            self.view.heatmap(scores, win=SCORES, opts={'title': f'score map, peak {scores.max():.3f}',
                                                        'layoutopts': layout})
        if self.level > 0:
            self._curve(title, float(output.get('confidence', np.nan)))

    def _image(self, window: str, title: str, image: np.ndarray | None) -> None:
        if image is not None:
            self.view.image(image.transpose(2, 0, 1), win=window, opts={'title': title, 'jpgquality': 90})

    def _curve(self, title: str, confidence: float) -> None:
        sequence = title.rsplit(' ', 1)[0]
        if sequence != self.sequence:
            self.sequence, self.frame, self.begun = sequence, 0, False
        self.frame += 1
        if np.isfinite(confidence):
            self.view.line(np.array([confidence]), np.array([self.frame]), win=CONFIDENCE, name=sequence,
                           update='append' if self.begun else None,
                           opts={'title': 'confidence', 'xlabel': 'frame', 'showlegend': True})
            self.begun = True

    def _hold(self, title: str) -> None:
        """Wait while paused; a server that goes away meanwhile raises."""
        if self.paused and not self.step:
            self.view.text(f'{HELP}<p>paused at {title}', win=CONTROL,
                           opts={'title': 'control', 'height': 130, 'width': 400})
        asked = time.monotonic()
        while self.paused and not self.step:
            time.sleep(0.02)
            if time.monotonic() - asked > PATIENCE:
                asked = time.monotonic()
                if not self.view.win_exists(CONTROL):
                    raise ConnectionError('the control pane was closed')
        self.step = False

    def _on_event(self, event: Mapping[str, Any]) -> None:
        """Runs in the client's thread."""
        key, now = event.get('key'), time.monotonic()
        if event.get('event_type') != 'KeyPress' or (key == self.key and now - self.pressed < BOUNCE):
            return
        self.key, self.pressed = key, now
        if key == ' ':
            self.paused = not self.paused
        elif key == 'ArrowRight':
            self.paused = self.step = True
