"""Videos in and out: files, folders of frames, addresses and cameras as RGB frames; drawn frames as a file."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import cv2
import numpy as np

from ltr.admin.errors import UserError
from ltr.data.files import list_frames
from ltr.data.image_loader import read_image
from pytracking.utils.images import as_rgb

CODECS = {'.mp4': 'mp4v', '.avi': 'MJPG', '.mkv': 'mp4v'}
RATE = 25.0  # frames/s where a source does not tell


@dataclass
class FrameSource:
    """Frames in the order of time.

    Attributes:
        name: for results and titles.
        frames: (H, W, 3) uint8, RGB; 16 bit is stretched as by the image loader.
        count: number of frames, as far as it is known.
        rate: frames/s.
    """

    name: str
    frames: Iterator[np.ndarray]
    count: int | None = None
    rate: float = RATE


def open_source(source: str | Path, raw: bool = False) -> FrameSource:
    """Open a folder of images, a video file, an address (`rtsp://...`), or a camera by its number ('0').

    Args:
        source: one of these.
        raw: ask a camera for its own numbers: a thermal one may then give 16 bit instead of a picture.

    Raises:
        UserError: there is nothing of this kind, or OpenCV cannot open it.
    """
    text, path = str(source), Path(source)
    if path.is_dir():
        files = list_frames(path)
        if not files:
            raise UserError(f'{path} holds no images')
        return FrameSource(path.resolve().name, map(read_image, files), len(files))
    camera = text.isdecimal() and not path.exists()
    if not camera and '://' not in text and not path.is_file():
        raise UserError(f'no video {text}: give a video file, a folder of images, or an address')
    capture = cv2.VideoCapture(int(text) if camera else text)
    if not capture.isOpened():
        raise UserError(f'cannot open {"camera " if camera else ""}{text}: '
                        f'{"is it connected and free?" if camera else "OpenCV does not read this kind of video"}')
    if raw:
        capture.set(cv2.CAP_PROP_CONVERT_RGB, 0)
    count = 0 if camera else int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    rate = float(capture.get(cv2.CAP_PROP_FPS))
    name = f'camera{text}' if camera else path.stem or 'stream'
    return FrameSource(name, _captured(capture, text, max(count, 0)), count if count > 0 else None,
                       rate if 1 <= rate <= 1000 else RATE)


def _captured(capture: Any, place: str, expected: int) -> Iterator[np.ndarray]:
    """The frames of a capture; one that ends early is told of."""
    number = 0
    try:
        while True:
            there, frame = capture.read()
            if not there or frame is None:
                break
            number += 1
            yield as_rgb(frame, f'{place}, frame {number}', bgr=True)
    finally:
        capture.release()
    if number < expected:
        print(f'notice: {place} announces {expected} frames, {number} could be read', file=sys.stderr)


class VideoWriter:
    """A video file, whole or not at all: it gets its name when it is finished.

    Used in `with`: an exception discards it, also Ctrl-C.

    Args:
        path: ends in .mp4, .avi or .mkv.
        rate: frames/s.

    Raises:
        UserError: another ending, or a folder that cannot be made.
    """

    def __init__(self, path: str | Path, rate: float = RATE) -> None:
        self.path, self.rate = Path(path), rate
        check_video_name(self.path)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f'cannot make {self.path.parent}: {error.strerror}') from None
        self.temporary = self.path.with_name(f'.{self.path.stem}.{os.getpid()}.tmp{self.path.suffix}')
        self.writer: Any = None
        self.size = (0, 0)

    def add(self, image: np.ndarray) -> None:
        """Append a frame, (H, W, 3) uint8, RGB; brought to the size of the first one.

        Raises:
            UserError: OpenCV cannot write such a video here.
        """
        if self.writer is None:
            self.size = (image.shape[1], image.shape[0])
            code = cv2.VideoWriter.fourcc(*CODECS[self.path.suffix.lower()])
            self.writer = cv2.VideoWriter(str(self.temporary), code, self.rate, self.size)
            if not self.writer.isOpened():
                raise UserError(f'OpenCV cannot write {self.path}: is the folder writable? Else try .avi')
        if (image.shape[1], image.shape[0]) != self.size:
            image = cv2.resize(image, self.size)
        self.writer.write(np.ascontiguousarray(image[..., ::-1]))

    def finish(self) -> None:
        """Close the file and give it its name."""
        if self.writer is not None:
            self.writer.release()
            self.writer = None
            os.replace(self.temporary, self.path)

    def discard(self) -> None:
        """Leave nothing behind."""
        if self.writer is not None:
            self.writer.release()
            self.writer = None
        self.temporary.unlink(missing_ok=True)

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        if kind is None:
            self.finish()
        self.discard()


def check_video_name(path: Path) -> None:
    """Make sure that a video of this name can be written. Raises UserError."""
    if path.suffix.lower() not in CODECS:
        raise UserError(f'cannot write the video {path}: give a name that ends in {", ".join(CODECS)}')
