"""Damaged images: refused by name, or read as a whole picture of 8 bits."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from cmd_plugin.data.reading import read_halves, read_rgb, read_tir
from ltr.data.image_loader import jpeg4py_loader, read_image
from tests.faults.fuzzing import TALLY, attempt, damaged

READERS = {'tracking': read_image, 'training': jpeg4py_loader, 'pairs, RGB': read_rgb, 'pairs, TIR': read_tir,
           'pairs, halves': read_halves}
ROUNDS = 10


def scene(channels: int, depth: type) -> np.ndarray:
    """A picture of 40 x 24 px that compresses as pictures do."""
    rows, columns = np.mgrid[:24, :40]
    image = np.stack([(rows * 5 + columns * (3 + channel)) % 251 for channel in range(channels)], axis=2)
    image = image.astype(depth) * (200 if depth is np.uint16 else 1)
    return image[..., 0] if channels == 1 else image


SEEDS = {'jpg': ('.jpg', scene(3, np.uint8)), 'grey jpg': ('.jpg', scene(1, np.uint8)),
         'png': ('.png', scene(3, np.uint8)), 'png 16 bit': ('.png', scene(1, np.uint16)),
         'png alpha': ('.png', scene(4, np.uint8)),
         'png grey': ('.png', scene(1, np.uint8)), 'bmp': ('.bmp', scene(3, np.uint8)),
         'tiff 16 bit': ('.tiff', scene(1, np.uint16)), 'webp': ('.webp', scene(3, np.uint8)),
         'pgm': ('.pgm', scene(1, np.uint8))}
CHECKSUMMED = ('.png',)


def encoded(suffix: str, image: np.ndarray) -> bytes:
    done, data = cv2.imencode(suffix, image)
    assert done
    return data.tobytes()


def check_picture(image: object) -> None:
    for half in image if isinstance(image, tuple) else (image,):
        assert half.dtype == np.uint8 and half.ndim in (2, 3) and half.size > 0
        assert half.ndim == 2 or half.shape[2] == 3


@pytest.mark.parametrize('seed', list(SEEDS))
def test_damaged_images(tmp_path, seed, capfd):
    suffix, image = SEEDS[seed]
    whole = encoded(suffix, image)
    rng = np.random.default_rng(list(SEEDS).index(seed))
    for number in range(ROUNDS):
        data = damaged(whole, rng)
        path = tmp_path / f'{number}{suffix}'
        path.write_bytes(data)
        for name, reader in READERS.items():
            found = attempt('images', lambda reader=reader, path=path: reader(path), path)
            if found is not None:
                check_picture(found)
                if suffix in CHECKSUMMED and name == 'tracking':
                    np.testing.assert_array_equal(found, read_image(tmp_path / _write(tmp_path, 'w' + suffix, whole)))


def _write(folder, name: str, data: bytes) -> str:
    (folder / name).write_bytes(data)
    return name


@pytest.mark.parametrize('seed', [seed for seed in SEEDS if SEEDS[seed][0] in ('.jpg', '.png')])
def test_every_cut_is_refused(tmp_path, seed):
    """A JPEG or PNG without its end is never filled up with grey."""
    suffix, image = SEEDS[seed]
    whole = encoded(suffix, image)
    path = tmp_path / f'cut{suffix}'
    for share in (0.0, 0.02, 0.3, 0.6, 0.9, 0.99):
        path.write_bytes(whole[:min(int(share * len(whole)), len(whole) - 2)])
        for reader in READERS.values():
            assert attempt('images', lambda reader=reader: reader(path), path) is None


@pytest.mark.parametrize('place', range(8))
def test_a_turned_bit_in_a_png_is_seen(tmp_path, place):
    """Its checksums tell."""
    whole = bytearray(encoded('.png', scene(3, np.uint8)))
    whole[40 + place * (len(whole) - 60) // 8] ^= 4
    path = tmp_path / 'bit.png'
    path.write_bytes(bytes(whole))
    for reader in READERS.values():
        assert attempt('images', lambda reader=reader: reader(path), path) is None


@pytest.mark.parametrize(('name', 'data'), [
    ('jpg.png', encoded('.jpg', scene(3, np.uint8))), ('png.jpg', encoded('.png', scene(1, np.uint16))),
    ('nothing.jpg', b''), ('text.jpg', b'hello'), ('folder.jpg', None), ('html.png', b'<!doctype html><p>404'),
    ('zeros.png', bytes(500)), ('gif.jpg', b'GIF89a\x01\x00\x01\x00\x80\x00\x00'),
    ('no_pixels.bmp', encoded('.bmp', scene(3, np.uint8))[:18] + bytes(8) + encoded('.bmp', scene(3, np.uint8))[26:]),
    ('huge.bmp', encoded('.bmp', scene(3, np.uint8))[:18] + b'\xff\xff\xff\x7f' * 2 + bytes(40)),
    ('huge.pgm', b'P5\n60000 60000\n255\n' + bytes(100)), ('negative.pgm', b'P5\n-4 4\n255\n' + bytes(100)),
    ('deep.pgm', b'P5\n4 4\n65536\n' + bytes(100)), ('a\nb.jpg', b'hello')])
def test_other_content_than_the_name_says(tmp_path, name, data):
    path = tmp_path / name
    if data is None:
        path.mkdir()
    else:
        path.write_bytes(data)
    for reader in READERS.values():
        found = attempt('images', lambda reader=reader: reader(path), path, repr(name)[1:-1], 'b.jpg')
        assert (found is not None) == (name in ('jpg.png', 'png.jpg'))
        if found is not None:
            check_picture(found)


def test_enough_cases(capsys):
    assert TALLY.cases('images') >= 500
    with capsys.disabled():
        print('\n' + TALLY.table())
