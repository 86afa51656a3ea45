"""Every kind of image file becomes 8-bit RGB, and a bad one a clear error."""

from __future__ import annotations

import sys
import types
from pathlib import Path

import cv2
import numpy as np
import pytest

from ltr.admin.errors import UserError
from ltr.data import image_loader
from ltr.data.image_loader import BadFrameError, jpeg4py_loader, read_image, stretch_to_uint8

RNG = np.random.default_rng(1)
RGB = RNG.integers(0, 256, (20, 30, 3), dtype=np.uint8)


def save(path: Path, image: np.ndarray) -> Path:
    """Write with OpenCV; three-channel images are given as RGB."""
    if image.ndim == 3:
        image = image[:, :, [2, 1, 0, 3][:image.shape[2]]]
    done, data = cv2.imencode(path.suffix, image)
    assert done
    path.write_bytes(data.tobytes())
    return path


@pytest.mark.parametrize('suffix', ['.png', '.bmp', '.tif'])
def test_colour_is_kept_exactly(tmp_path, suffix):
    image = read_image(save(tmp_path / f'wärme 红外{suffix}', RGB))
    np.testing.assert_array_equal(image, RGB)
    assert image.flags.c_contiguous


def test_grey_becomes_three_channels(tmp_path):
    image = read_image(str(save(tmp_path / 'a.png', RGB[:, :, 0])))
    np.testing.assert_array_equal(image, RGB[:, :, :1].repeat(3, axis=2))


def test_alpha_is_dropped(tmp_path):
    alpha = np.dstack((RGB, np.full((20, 30), 7, np.uint8)))
    np.testing.assert_array_equal(read_image(save(tmp_path / 'a.png', alpha)), RGB)


@pytest.mark.parametrize('channels', [1, 3])
def test_16_bit_is_stretched(tmp_path, channels):
    deep = np.linspace(21000, 21999, 20 * 30 * channels).astype(np.uint16).reshape(20, 30, channels)
    image = read_image(save(tmp_path / 'a.png', deep.squeeze()))
    assert image.shape == (20, 30, 3) and image.dtype == np.uint8
    assert image.min() == 0 and image.max() == 255
    assert np.unique(image).size > 150
    # 21500 lies halfway between the percentiles 21005 and 21994.
    assert abs(int(image[np.abs(deep.astype(int) - 21500).max(axis=2) < 3].mean()) - 127) <= 1


def test_stretch_ignores_dead_pixels_and_keeps_small_hot_objects():
    scene = np.linspace(1000, 2000, 10000).astype(np.uint16)
    scene[:20] = 65535
    assert stretch_to_uint8(scene)[5000] == pytest.approx(127, abs=4)
    flat = np.full(10000, 300, np.uint16)
    assert not stretch_to_uint8(flat).any()
    flat[:3] = 400
    np.testing.assert_array_equal(stretch_to_uint8(flat)[:5], [255, 255, 255, 0, 0])


def test_exif_orientation_is_never_applied(tmp_path):
    path = save(tmp_path / 'a.jpg', RGB)
    plain = read_image(path)
    # Big-endian TIFF header, one entry: orientation (0x0112) = 6, "turn by 90 degrees".
    tiff = b'MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00\x00\x00\x00\x00'
    exif = b'Exif\x00\x00' + tiff
    data = path.read_bytes()
    path.write_bytes(data[:2] + b'\xff\xe1' + (len(exif) + 2).to_bytes(2, 'big') + exif + data[2:])
    assert cv2.imread(str(path)).shape == (30, 20, 3), 'the tag must be one that a reader may obey'
    np.testing.assert_array_equal(read_image(path), plain)


@pytest.mark.parametrize('suffix', ['.jpg', '.png', '.bmp', '.tif', '.webp'])
@pytest.mark.parametrize('kept', [0.3, 0.6, 0.9])
def test_cut_off_file(tmp_path, suffix, kept):
    path = save(tmp_path / f'a{suffix}', RGB.repeat(8, axis=0).repeat(8, axis=1))
    data = path.read_bytes()
    path.write_bytes(data[:int(len(data) * kept)])
    with pytest.raises(UserError, match=f'a{suffix}'):
        read_image(path)


def test_cut_off_jpeg_with_whole_thumbnail(tmp_path):
    path = save(tmp_path / 'a.jpg', RGB.repeat(8, axis=0))
    data, thumbnail = path.read_bytes(), save(tmp_path / 'b.jpg', RGB[:8, :8]).read_bytes()
    segment = b'\xff\xe1' + (len(thumbnail) + 2).to_bytes(2, 'big') + thumbnail
    with_thumbnail = data[:2] + segment + data[2:]
    path.write_bytes(with_thumbnail)
    assert read_image(path).shape == (160, 30, 3)
    path.write_bytes(with_thumbnail[:-len(data) // 2])
    with pytest.raises(UserError, match='cut off'):
        read_image(path)


@pytest.mark.parametrize('suffix', ['.jpg', '.png'])
@pytest.mark.parametrize('more', [bytes(5000), b'camera data \xff\xda and more' * 300, b'\xff\xda'])
def test_bytes_after_the_end_do_no_harm(tmp_path, suffix, more):
    path = save(tmp_path / f'a{suffix}', RGB)
    plain = read_image(path)
    path.write_bytes(path.read_bytes() + more)
    np.testing.assert_array_equal(read_image(path), plain)


def test_cut_off_jpeg_of_several_scans(tmp_path):
    done, data = cv2.imencode('.jpg', RGB.repeat(8, axis=0), [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])
    data = data.tobytes()
    assert done and data.count(b'\xff\xda') > 3
    (tmp_path / 'a.jpg').write_bytes(data)
    assert read_image(tmp_path / 'a.jpg').shape == (160, 30, 3)
    (tmp_path / 'a.jpg').write_bytes(data[:data.rfind(b'\xff\xda') + 20])
    with pytest.raises(UserError, match='cut off'):
        read_image(tmp_path / 'a.jpg')


def test_padding_in_the_header(tmp_path):
    path = save(tmp_path / 'a.jpg', RGB)
    plain = read_image(path)
    data = path.read_bytes()
    path.write_bytes(data[:2] + b'\xff\xff' + data[2:])
    np.testing.assert_array_equal(read_image(path), plain)


def test_errors_name_the_file(tmp_path):
    (tmp_path / 'empty.jpg').touch()
    (tmp_path / 'text.png').write_text('no image at all')
    save(tmp_path / 'float.tif', RGB.astype(np.float32))
    for name, reason in [('none.jpg', 'cannot read'), ('empty.jpg', 'empty'), ('text.png', 'not a readable'),
                         ('float.tif', 'float32')]:
        with pytest.raises(BadFrameError, match=reason) as caught:
            read_image(tmp_path / name)
        assert name in str(caught.value) and '\n' not in str(caught.value)
        assert caught.value.path == str(tmp_path / name)


class FakeTurbo:
    """Stands for jpeg4py: says it was called, or fails."""

    failure: type[Exception] | None = None

    class JPEG:
        def __init__(self, data: np.ndarray) -> None:
            assert bytes(data[:2]) == b'\xff\xd8'

        def decode(self) -> np.ndarray:
            if FakeTurbo.failure:
                raise FakeTurbo.failure('no')
            return np.full((2, 2, 3), 9, np.uint8)


@pytest.fixture
def turbo(monkeypatch):
    module = types.ModuleType('jpeg4py')
    module.JPEG = FakeTurbo.JPEG
    monkeypatch.setitem(sys.modules, 'jpeg4py', module)
    monkeypatch.setattr(FakeTurbo, 'failure', None)
    image_loader._turbojpeg.cache_clear()
    image_loader._warn_without_turbojpeg.cache_clear()
    yield FakeTurbo
    image_loader._turbojpeg.cache_clear()
    image_loader._warn_without_turbojpeg.cache_clear()


def test_turbo_reads_jpeg_and_only_jpeg(tmp_path, turbo):
    assert jpeg4py_loader(save(tmp_path / 'a.jpg', RGB)).max() == 9
    np.testing.assert_array_equal(jpeg4py_loader(save(tmp_path / 'a.png', RGB)), RGB)
    # Content decides, not the name.
    np.testing.assert_array_equal(jpeg4py_loader((tmp_path / 'a.png').rename(tmp_path / 'b.jpg')), RGB)


@pytest.mark.parametrize('failure', [OSError, RuntimeError])
def test_turbo_without_library_or_for_odd_files(tmp_path, turbo, monkeypatch, caplog, failure):
    monkeypatch.setattr(turbo, 'failure', failure)
    path = save(tmp_path / 'a.jpg', RGB)
    for _ in range(2):
        np.testing.assert_array_equal(jpeg4py_loader(path), read_image(path))
    assert len(caplog.records) == (1 if failure is OSError else 0)


def test_turbo_not_installed(tmp_path, turbo, monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, 'jpeg4py', None)
    path = save(tmp_path / 'a.jpg', RGB)
    np.testing.assert_array_equal(jpeg4py_loader(path), read_image(path))
    assert 'jpeg4py' in caplog.text
