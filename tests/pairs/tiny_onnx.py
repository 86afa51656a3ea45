"""Writes ONNX files of a few operators, after the published message format (onnx.proto)."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

import numpy as np


def varint(value: int) -> bytes:
    out = b''
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def field(number: int, value: int | bytes | str) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def value_info(name: str, shape: Sequence[int | str]) -> bytes:
    dims = b''.join(field(1, field(2 if isinstance(dim, str) else 1, dim)) for dim in shape)
    return field(1, name) + field(2, field(1, field(1, 1) + field(2, dims)))


def tensor(name: str, array: np.ndarray) -> bytes:
    kind = {'float32': 1, 'int64': 7}[str(array.dtype)]
    shape = b''.join(field(1, side) for side in array.shape)
    return shape + field(2, kind) + field(8, name) + field(9, array.tobytes())


def node(kind: str, inputs: Sequence[str], output: str, **ints: int | Sequence[int]) -> bytes:
    attributes = b''
    for name, value in ints.items():
        body = field(1, name)
        if isinstance(value, int):
            body += field(3, value) + field(20, 2)
        else:
            body += b''.join(field(8, item) for item in value) + field(20, 7)
        attributes += field(5, body)
    return b''.join(field(1, name) for name in inputs) + field(2, output) + field(4, kind) + attributes


def model(nodes: Sequence[bytes], shape_in: Sequence[int | str], shape_out: Sequence[int | str],
          weights: Mapping[str, np.ndarray] | None = None, metadata: Mapping[str, str] | None = None) -> bytes:
    """A file with the input `x`, the output `y`, opset 13, and a float field of no meaning to skip over."""
    graph = b''.join(field(1, one) for one in nodes) + field(2, 'g')
    graph += b''.join(field(5, tensor(name, array)) for name, array in (weights or {}).items())
    graph += field(11, value_info('x', shape_in)) + field(12, value_info('y', shape_out))
    data = field(1, 8) + field(7, graph) + field(8, field(1, '') + field(2, 13))
    for key, value in (metadata or {}).items():
        data += field(14, field(1, key) + field(2, value))
    return data + varint(100 << 3 | 5) + struct.pack('<f', 1.5)


def classifier() -> bytes:
    """Not a detector: the mean colour of an image, `1 x 3 x 1 x 1`."""
    return model([node('GlobalAveragePool', ['x'], 'y')], (1, 3, 64, 64), (1, 3, 1, 1))


def constant_detector(output: np.ndarray, side: int = 64, metadata: Mapping[str, str] | None = None,
                      tells_mean: bool = False) -> bytes:
    """A detector that always gives `output`; on request with the mean of its input added to the last value."""
    mark = np.zeros(output.shape, np.float32)
    mark.flat[-1] = tells_mean
    nodes = [node('GlobalAveragePool', ['x'], 'pooled'),
             node('ReduceMean', ['pooled'], 'mean', axes=(1, 2, 3), keepdims=1),
             node('Reshape', ['mean', 'shape'], 'number'), node('Mul', ['mark', 'number'], 'part'),
             node('Add', ['part', 'fixed'], 'y')]
    weights = {'fixed': output.astype(np.float32), 'mark': mark, 'shape': np.ones(3, np.int64)}
    return model(nodes, (1, 3, side, side), output.shape, weights, metadata)
