"""Variables of a MATLAB file of level 5 (versions 5 to 7.2), read by its published layout.

SciPy's reader is quick and complete, but a damaged file can end the whole process in it. Here every length is held
against what contains it; classes that result files do not need are None.

Source: MathWorks, "MAT-File Format", level 5.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np

HEADER = 128
MATRIX, COMPRESSED = 14, 15
NUMBERS = {1: 'i1', 2: 'u1', 3: 'i2', 4: 'u2', 5: 'i4', 6: 'u4', 7: 'f4', 9: 'f8', 12: 'i8', 13: 'u8'}
TEXTS = {2: 'latin-1', 4: 'utf-16', 16: 'utf-8', 17: 'utf-16', 18: 'utf-32'}
CELL, STRUCT, CHAR, FIRST_NUMBER, LAST_NUMBER = 1, 2, 4, 6, 15
DEEPEST = 16
LARGEST = 1 << 28
"""Bytes that a compressed variable may have."""


def read_variables(data: bytes, wanted: str) -> dict[str, Any]:
    """The variables called `wanted`, by name.

    Returns:
        Cells as lists in MATLAB's order, structs (of arrays of structs the first) as dictionaries, text as text,
        numbers as arrays of at least two dimensions, everything else as None.

    Raises:
        NotImplementedError: a file of version 7.3, which is of another format.
        ValueError, struct.error, zlib.error: no such file, or a damaged one.
    """
    if data.startswith(b'\x89HDF') or data[124:128] in (b'\x00\x02IM', b'\x02\x00MI'):
        raise NotImplementedError
    order = {b'IM': '<', b'MI': '>'}.get(data[126:HEADER])
    if order is None:
        raise ValueError('no header of a MATLAB file')
    found = {}
    for kind, content in _elements(data[HEADER:], order, padded_compressed=False):
        if kind == COMPRESSED:
            content = zlib.decompressobj().decompress(content, LARGEST)
            [(kind, content)] = _elements(content, order)
        if kind == MATRIX:
            name, value = _matrix(content, order, 0, wanted)
            if name == wanted:
                found[name] = value
    return found


def _elements(data: bytes, order: str, padded_compressed: bool = True) -> Iterator[tuple[int, bytes]]:
    """Type and content of the elements that stand one behind another."""
    place = 0
    while place < len(data):
        kind, size = struct.unpack_from(f'{order}II', data, place)
        if kind >> 16:  # a small one: size and type share four bytes, the content the other four
            kind, size, start, place = kind & 0xFFFF, kind >> 16, place + 4, place + 8
            if size > 4:
                raise ValueError('a small element of more than 4 bytes')
        else:
            start = place + 8
            place = start + size
            if kind != COMPRESSED or padded_compressed:
                place += -size % 8
        if start + size > len(data):
            raise ValueError('an element beyond the end')
        yield kind, data[start:start + size]


def _matrix(data: bytes, order: str, depth: int, wanted: str = '') -> tuple[str, Any]:
    """Name and value of an array; of variables that are not `wanted` the name alone."""
    if depth > DEEPEST:
        raise ValueError('nested too deep')
    if not data:
        return '', np.empty((0, 0))
    parts = _elements(data, order)
    flags = next(parts)[1]
    kind = struct.unpack(f'{order}I', flags[:4])[0] & 0xFF
    if CHAR < kind < FIRST_NUMBER or kind > LAST_NUMBER or kind == 3:  # sparse, objects, functions
        return '', None
    dims = _numbers(*next(parts), order).astype(int).tolist()
    if len(dims) < 2 or min(dims) < 0:
        raise ValueError(f'dimensions {dims}')
    name = next(parts)[1].decode('latin-1')
    if depth == 0 and name != wanted:
        return name, None
    return name, _value(kind, dims, parts, order, depth)


def _value(kind: int, dims: list[int], parts: Iterator[tuple[int, bytes]], order: str, depth: int) -> Any:
    count = math.prod(dims)
    if kind == CELL:
        return [_inner(element, order, depth) for element in _exactly(count, parts)]
    if kind == STRUCT:
        width = int(_numbers(*next(parts), order).item())
        names = next(parts)[1]
        if width < 1 or len(names) % width:
            raise ValueError('field names of no length')
        fields = [names[start:start + width].split(b'\0')[0].decode('latin-1') for start in range(0, len(names), width)]
        inner = _exactly(count * len(fields), parts)
        return {field: _inner(element, order, depth) for field, element in zip(fields, inner, strict=False)}
    stored, content = next(parts)
    if kind == CHAR:
        codec = TEXTS.get(stored, 'latin-1')
        ends = {'<': '-le', '>': '-be'}[order] if codec in ('utf-16', 'utf-32') else ''
        return content.decode(codec + ends)
    return _numbers(stored, content, order).astype(float).reshape(dims, order='F')


def _inner(element: tuple[int, bytes], order: str, depth: int) -> Any:
    kind, content = element
    if kind != MATRIX:
        raise ValueError('expected an array')
    return _matrix(content, order, depth + 1)[1]


def _exactly(count: int, parts: Iterator[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    """All that is left; it must be `count` elements."""
    found = list(parts)
    if len(found) != count:
        raise ValueError(f'{len(found)} elements in place of {count}')
    return found


def _numbers(stored: int, content: bytes, order: str) -> np.ndarray:
    if stored not in NUMBERS:
        raise ValueError(f'numbers of type {stored}')
    return np.frombuffer(content, order + NUMBERS[stored])
