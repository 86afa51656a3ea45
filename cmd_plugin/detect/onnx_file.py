"""The head of an ONNX file: what goes in, what comes out, what its author wrote into it.

OpenCV runs such files but tells nothing of them, so the few fields that matter are read here. ONNX is a protocol-buffer
message: fields of a number and a wire type, of which the nested ones are messages again (onnx.proto, IR version 3 on).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cmd_plugin.errors import UserError

MODEL_GRAPH, MODEL_METADATA = 7, 14
GRAPH_WEIGHTS, GRAPH_INPUTS, GRAPH_OUTPUTS = 5, 11, 12
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


@dataclass(frozen=True)
class OnnxHead:
    """Inputs and outputs by name, each with its shape (0: free), and the file's metadata."""

    inputs: dict[str, tuple[int, ...]] = field(default_factory=dict)
    outputs: dict[str, tuple[int, ...]] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)

    def class_names(self) -> tuple[str, ...]:
        """Names of the classes, where the exporter left them (`names` of the Ultralytics tools); else empty."""
        try:
            names = ast.literal_eval(self.metadata.get('names', '()'))
        except (ValueError, SyntaxError):
            return ()
        if isinstance(names, dict):
            names = [names[number] for number in sorted(names)]
        return tuple(str(name) for name in names) if isinstance(names, (list, tuple)) else ()


def read_head(path: Path, data: bytes) -> OnnxHead:
    """Read the head of an ONNX file.

    Args:
        path: for messages.
        data: the file's bytes.

    Raises:
        UserError: this is no ONNX file.
    """
    try:
        fields = list(_fields(data))
        graphs = [value for number, value in fields if number == MODEL_GRAPH and isinstance(value, bytes)]
        graph = list(_fields(graphs[0]))
        weights = {_text(value, 8) for number, value in graph if number == GRAPH_WEIGHTS}
        inputs = dict(_value_info(value) for number, value in graph if number == GRAPH_INPUTS)
        outputs = dict(_value_info(value) for number, value in graph if number == GRAPH_OUTPUTS)
        metadata = {_text(value, 1): _text(value, 2) for number, value in fields if number == MODEL_METADATA}
    except (IndexError, ValueError):
        raise UserError(f'{path} is not an ONNX file, or cut short: copy or export it again') from None
    if not outputs:
        raise UserError(f'{path} is not an ONNX file, or cut short: copy or export it again')
    return OnnxHead({name: shape for name, shape in inputs.items() if name not in weights}, outputs, metadata)


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Fields of a message; raises `ValueError` or `IndexError` where the bytes are none."""
    place = 0
    while place < len(data):
        key, place = _varint(data, place)
        number, wire = key >> 3, key & 7
        if wire == VARINT:
            value, place = _varint(data, place)
            yield number, value
        elif wire in (FIXED64, FIXED32):
            place += 8 if wire == FIXED64 else 4
        elif wire == BYTES:
            length, place = _varint(data, place)
            if place + length > len(data):
                raise ValueError('field beyond the end')
            yield number, data[place:place + length]
            place += length
        else:
            raise ValueError(f'wire type {wire}')
    if place > len(data):
        raise ValueError('field beyond the end')


def _varint(data: bytes, place: int) -> tuple[int, int]:
    """Number of seven bits a byte, least first, and the place behind it."""
    value = 0
    for shift in range(0, 70, 7):
        byte = data[place]
        place += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, place
    raise ValueError('number too long')


def _parts(message: int | bytes, number: int) -> list[int | bytes]:
    """Values of one field of a nested message."""
    if isinstance(message, int):
        raise ValueError('expected a message')
    return [value for found, value in _fields(message) if found == number]


def _text(message: int | bytes, number: int) -> str:
    """Text of one field; empty where it is absent."""
    return ''.join(part.decode('utf-8', 'replace') for part in _parts(message, number) if isinstance(part, bytes))


def _value_info(message: int | bytes) -> tuple[str, tuple[int, ...]]:
    """Name and shape of an input or output."""
    shape = []
    for kind in _parts(message, 2):
        for tensor in _parts(kind, 1):
            for dims in _parts(tensor, 2):
                for dim in _parts(dims, 1):
                    fixed = _parts(dim, 1)
                    shape.append(fixed[0] if fixed and isinstance(fixed[0], int) else 0)
    return _text(message, 1), tuple(shape)
