"""Run an ONNX file: by OpenCV, or by onnxruntime where OpenCV cannot."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from cmd_plugin.errors import UserError

Net = Callable[[NDArray[np.float32]], list[NDArray[np.float32]]]
"""`(1, 3, H, W)` in, all outputs out."""


TRIAL = """
import sys, cv2, numpy
net = cv2.dnn.readNetFromONNX(numpy.fromfile(sys.argv[1], numpy.uint8))
net.setInput(numpy.full((1, 3, int(sys.argv[2]), int(sys.argv[3])), 0.5, numpy.float32))
net.forward(net.getUnconnectedOutLayersNames())
"""
TRIAL_SECONDS = 300.0
SILENT = 0
"""OpenCV's level at which nothing is logged."""


def try_out(path: Path, size: tuple[int, int]) -> None:
    """Load and run a network once in a process of its own: a damaged file can end the process that OpenCV reads it in.

    Args:
        path: ONNX file.
        size: `(height, width)` of the input.

    Raises:
        UserError: the process crashed or did not come back. Errors that OpenCV reports are left to `load_net`.
    """
    command = [sys.executable, '-c', TRIAL, str(path), *map(str, size)]
    try:
        status = subprocess.run(command, capture_output=True, timeout=TRIAL_SECONDS).returncode
    except subprocess.TimeoutExpired:
        status = -1
    if status not in (0, 1):
        raise UserError(f'{path} is damaged, OpenCV crashes on it or does not come back: copy or export it again')


def load_net(path: Path, data: bytes, size: tuple[int, int]) -> tuple[Net, str]:
    """Load a network and run it once on a grey image.

    Args:
        path: for messages.
        data: bytes of the ONNX file.
        size: `(height, width)` of the input.

    Returns:
        The network and the name of what runs it.

    Raises:
        UserError: neither OpenCV nor onnxruntime can run it on images of three channels.
    """
    probe = np.full((1, 3, *size), 0.5, np.float32)
    level = _log_level(SILENT)  # What OpenCV writes to stderr is said below in one line.
    try:
        net = _opencv(data)
        net(probe)
        return net, 'OpenCV'
    except (cv2.error, UnicodeDecodeError) as error:
        reason = str(getattr(error, 'err', error)).strip().splitlines()
    finally:
        _log_level(level)
    return _by_runtime(path, data, probe, reason[0][:120] if reason else 'no reason given'), 'onnxruntime'


def _log_level(level: int) -> int:
    """Set OpenCV's level; returns the one before. OpenCV 4 and 5 have the function in different places."""
    found: Any = cv2
    return int((found if hasattr(found, 'setLogLevel') else found.utils.logging).setLogLevel(level))


def _opencv(data: bytes) -> Net:
    net = cv2.dnn.readNetFromONNX(np.frombuffer(data, np.uint8))
    names = net.getUnconnectedOutLayersNames()

    def forward(blob: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        net.setInput(blob)
        return [np.asarray(output, np.float32) for output in net.forward(names)]
    return forward


def _by_runtime(path: Path, data: bytes, probe: NDArray[np.float32], reason: str) -> Net:
    try:
        import onnxruntime
    except ImportError:
        raise UserError(f'detector file of another model, or of operators that OpenCV lacks: {path} ({reason}); '
                        'onnxruntime knows more: pip install "cmd-tracking[onnx]"') from None
    from onnxruntime.capi import onnxruntime_pybind11_state as state
    errors = (state.Fail, state.InvalidGraph, state.InvalidArgument, state.InvalidProtobuf, state.NotImplemented,
              state.RuntimeException)
    try:
        onnxruntime.set_default_logger_severity(4)
        session = onnxruntime.InferenceSession(data, providers=['CPUExecutionProvider'])
        name = session.get_inputs()[0].name

        def forward(blob: NDArray[np.float32]) -> list[NDArray[np.float32]]:
            return list(session.run(None, {name: blob}))
        forward(probe)
    except errors as error:
        raise UserError(f'detector file of another model: {path} does not run on images '
                        f'({str(error).strip().splitlines()[0][:160]})') from None
    return forward
