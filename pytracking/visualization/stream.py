"""A tracker on a video or a camera, drawn, shown and saved as it goes."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from ltr.admin.errors import UserError
from pytracking.evaluation.live import LiveTracker
from pytracking.evaluation.names import safe_name
from pytracking.evaluation.results import result_file, write_results
from pytracking.evaluation.running import check_trackers
from pytracking.evaluation.tracker import Tracker
from pytracking.visualization import window
from pytracking.visualization.drawing import draw
from pytracking.visualization.video import FrameSource, VideoWriter, check_video_name
from pytracking.visualization.visualizer import Visualizer


@dataclass(frozen=True)
class StreamOptions:
    """What is wanted of a stream.

    Attributes:
        box: the target in the first frame, `xywh`, image px; None lets the user draw it.
        save_video: file for the drawn frames.
        save_results: write boxes and times to the results folder, as the sequence `video_NAME`.
        show: open a window; it opens in any case when the box is drawn. `q` ends, `r` lets draw another box.
        visdom: `use_visdom`, `server` and `port`.
        debug: level handed to the tracker.
        max_frames: end after so many.
        keep_partial: Ctrl-C is the usual end: what was tracked so far is saved.
    """

    box: list[float] | None = None
    save_video: Path | None = None
    save_results: bool = False
    show: bool = False
    visdom: dict[str, Any] = field(default_factory=dict)
    debug: int = 0
    max_frames: int | None = None
    keep_partial: bool = False


@dataclass
class Streamed:
    """Boxes (`xywh`, image px), seconds and confidences of the frames so far."""

    boxes: list[list[float]] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    confidences: list[float] = field(default_factory=list)


def run_stream(tracker: Tracker, source: FrameSource, options: StreamOptions) -> Streamed:
    """Track through a stream, and print one line about it.

    Args:
        tracker: name and parameters.
        source: the frames.
        options: what to do with them.

    Raises:
        UserError: no box and no window to draw it, a box outside the frame, no frames, unreadable frames, an unknown
            tracker, or a video or result that cannot be written.
        KeyboardInterrupt: on Ctrl-C; with `keep_partial` what was tracked so far is saved before.
    """
    _check(options)
    network = check_trackers([tracker])[0] if options.save_results else None
    live = LiveTracker(tracker, options.debug, network)
    first = next(source.frames, None)
    if first is None:
        raise UserError(f'{source.name} holds no frames')
    box = options.box or window.select_box(first)
    frames = islice(chain([first], source.frames), options.max_frames)
    done, interrupted, started = Streamed(), False, time.perf_counter()
    with ExitStack() as stack:
        video = stack.enter_context(VideoWriter(options.save_video, source.rate)) if options.save_video else None
        view = _view(stack, options)
        try:
            _loop(live, source, frames, box, options, video, view, done)
        except KeyboardInterrupt:
            if not options.keep_partial:
                raise
            interrupted = True
    _report(tracker, source, options, done, time.perf_counter() - started)
    if interrupted:
        raise KeyboardInterrupt
    return done


def _check(options: StreamOptions) -> None:
    """Mistakes that would come to light only after a while."""
    if options.save_video:
        check_video_name(options.save_video)
    if options.max_frames is not None and options.max_frames < 1:
        raise UserError(f'--max-frames must be at least 1, got {options.max_frames}')
    reason = window.why_no_window() if options.show else None
    if reason:
        raise UserError(f'no window can be opened, {reason}: leave out --show')


def _view(stack: ExitStack, options: StreamOptions) -> Visualizer | None:
    if not options.visdom.get('use_visdom'):
        return None
    from pytracking.visualization.visdom_view import VisdomView
    return stack.enter_context(closing(VisdomView(options.visdom['server'], options.visdom['port'], options.debug)))


def _loop(live: LiveTracker, source: FrameSource, frames: Iterator[np.ndarray], box: list[float],
          options: StreamOptions, video: VideoWriter | None, view: Visualizer | None, done: Streamed) -> None:
    label = live.tracker.label
    total = min(filter(None, (source.count, options.max_frames)), default=None)
    with tqdm(frames, total=total, unit=' frames', disable=None) as bar:
        for image in bar:
            output = live.track(image) if live.frame else live.initialize(image, {'init_bbox': box})
            done.boxes.append(output['target_bbox'])
            done.times.append(output['time'])
            done.confidences.append(output['confidence'])
            boxes, title = {label: output['target_bbox']}, f'{source.name} {live.frame}'
            if view is not None:
                view.show(title, image, boxes, output)
            showing = options.show or options.box is None
            if video is None and not showing:
                continue
            picture = draw(image, boxes, title)
            if video is not None:
                video.add(picture)
            key = window.show(picture) if showing else ''
            if key == window.QUIT:
                break
            if key == window.AGAIN:
                live.initialize(image, {'init_bbox': window.select_box(image)})


def _report(tracker: Tracker, source: FrameSource, options: StreamOptions, done: Streamed, seconds: float) -> None:
    known = [value for value in done.confidences if math.isfinite(value)]
    confidence = f', mean confidence {sum(known) / len(known):.3f}' if known else ''
    print(f'{tracker.label}, {source.name}: {len(done.boxes)} frames, '
          f'{len(done.boxes) / max(seconds, 1e-9):.1f} frames/s{confidence}')
    if not done.boxes:  # stopped before the first frame was learned: no file was begun
        return
    if options.save_video:
        print(f'video: {options.save_video}')
    if options.save_results:
        name = safe_name(f'video_{source.name}')
        write_results(tracker.results_dir, name, np.array(done.boxes), np.array(done.times))
        print(f'results: {result_file(tracker.results_dir, name)}')
