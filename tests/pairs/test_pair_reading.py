"""Reading of RGB and thermal files: pixel values are known before they are written."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cmd_plugin.data.reading import is_cut_short, read_halves, read_rgb, read_tir
from cmd_plugin.errors import UserError

RAMP = np.arange(256, dtype=np.uint8).reshape(16, 16)
COLOURS = np.dstack([RAMP, RAMP.T, 255 - RAMP])


def jpeg(quality: int = 90) -> bytes:
    noise = np.random.default_rng(1).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    return cv2.imencode('.jpg', noise, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def test_eight_bit_values_are_kept(write):
    np.testing.assert_array_equal(read_rgb(write('c.png', COLOURS)), COLOURS)
    np.testing.assert_array_equal(read_tir(write('g.png', RAMP)), RAMP)


def test_grey_as_rgb_is_replicated(write):
    np.testing.assert_array_equal(read_rgb(write('g.png', RAMP)), np.dstack([RAMP] * 3))


def test_three_equal_channels_give_exactly_that_channel(write):
    np.testing.assert_array_equal(read_tir(write('g3.png', np.dstack([RAMP] * 3))), RAMP)


def test_three_equal_channels_of_16_bit_equal_one_channel(write):
    deep = np.random.default_rng(0).integers(0, 65536, (30, 40), dtype=np.uint16)
    one = read_tir(write('g.png', deep))
    np.testing.assert_array_equal(read_tir(write('g3.png', np.dstack([deep] * 3))), one)


def test_false_colour_gives_luminance(write):
    expected = COLOURS @ np.array([0.299, 0.587, 0.114])
    np.testing.assert_allclose(read_tir(write('c.png', COLOURS)), expected, atol=1)


def test_alpha_is_dropped(write):
    bgra = np.dstack([COLOURS[:, :, ::-1], np.full_like(RAMP, 7)])
    path = write('a.png', bgra)
    np.testing.assert_array_equal(read_rgb(path), COLOURS)
    assert read_tir(path).shape == RAMP.shape


def test_14_bit_scene_fills_the_range(write):
    scene = (7000 + np.arange(400).reshape(20, 20)).astype(np.uint16)
    tir = read_tir(write('t.tif', scene))
    assert tir.dtype == np.uint8
    assert tir.min() == 0 and tir.max() == 255
    # 400 values in order: the 0.5 and 99.5 percentile are 7000 + 1.995 and 7000 + 397.005.
    expected = np.clip(np.rint((scene - 7001.995) * 255 / 395.01), 0, 255)
    np.testing.assert_allclose(tir, expected, atol=1)


def test_one_dead_pixel_does_not_squash_the_scene(write):
    scene = (7000 + np.arange(400).reshape(20, 20)).astype(np.uint16)
    scene[3, 3] = 65535
    assert np.ptp(np.delete(read_tir(write('t.png', scene)).ravel(), 63)) > 250


def test_hot_spot_on_flat_ground_is_seen(write):
    scene = np.full((40, 40), 7000, np.uint16)
    scene[5, 5] = 7100
    tir = read_tir(write('t.png', scene))
    assert tir[5, 5] == 255 and tir.sum() == 255


def test_flat_16_bit_image_is_flat(write):
    assert not read_tir(write('t.png', np.full((5, 6), 12000, np.uint16))).any()


def test_float_tiff_is_stretched_and_nan_refused(write):
    celsius = np.linspace(-20, 90, 400, dtype=np.float32).reshape(20, 20)
    tir = read_tir(write('t.tif', celsius))
    assert tir.min() == 0 and tir.max() == 255
    celsius[0, 0] = np.nan
    with pytest.raises(UserError, match=r'nan\.tif.*not finite'):
        read_tir(write('nan.tif', celsius))


@given(arrays(np.uint16, (6, 7), elements=st.integers(0, 65535)))
def test_stretch_keeps_the_order_of_temperatures(tmp_path_factory, scene):
    path = tmp_path_factory.getbasetemp() / 'order.png'
    path.write_bytes(cv2.imencode('.png', scene)[1].tobytes())
    order = np.argsort(scene, axis=None, kind='stable')
    assert (np.diff(read_tir(path).ravel()[order].astype(int)) >= 0).all()


@pytest.mark.parametrize('bits', [8, 10, 12, 14, 16])
def test_deep_rgb_uses_its_own_bit_depth(write, bits):
    top = 2 ** bits - 1
    image = np.linspace(0, top, 48).reshape(4, 4, 3).astype(np.uint16)
    np.testing.assert_allclose(read_rgb(write('c.png', image)), image * (255 / top), atol=0.51)


def test_halves(write):
    rgb, tir = read_halves(write('p.png', np.concatenate([COLOURS, np.dstack([RAMP] * 3)], axis=1)))
    np.testing.assert_array_equal(rgb, COLOURS)
    np.testing.assert_array_equal(tir, RAMP)


def test_halves_of_odd_width(write):
    with pytest.raises(UserError, match=r'odd\.png .*13 x 8'):
        read_halves(write('odd.png', size=(8, 13)))


@given(st.floats(0, 1, exclude_max=True))
def test_a_jpeg_cut_anywhere_is_refused(tmp_path_factory, share):
    path = tmp_path_factory.getbasetemp() / 'cut.jpg'
    data = jpeg()
    path.write_bytes(data[:int(len(data) * share)])
    for read in (read_rgb, read_tir):
        with pytest.raises(UserError, match=r'cut\.jpg'):
            read(path)


@given(st.integers(1, 10_000))
def test_cut_jpeg_is_told_from_its_bytes_alone(missing):
    data = jpeg()
    scan = data.index(b'\xff\xda')
    assert is_cut_short(data[:max(scan + 20, len(data) - missing)])


def test_end_mark_of_a_thumbnail_does_not_count(write):
    data = jpeg()
    thumbnail = b'\xff\xe1' + (2 + 8).to_bytes(2, 'big') + b'\xff\xd8abcd\xff\xd9'
    whole = data[:2] + thumbnail + data[2:]
    assert not is_cut_short(whole)
    assert is_cut_short(whole[:-20])


def test_bytes_after_the_end_are_allowed(tmp_path):
    path = tmp_path / 'appended.jpg'
    path.write_bytes(jpeg() + b'radiometric data' * 99)
    assert read_rgb(path).shape == (40, 60, 3)


@pytest.mark.parametrize('suffix', ['.png', '.bmp', '.tif', '.webp'])
def test_other_formats_cut_short(write, suffix):
    path = write(f'x{suffix}', size=(40, 60))
    assert read_rgb(path).shape == (40, 60, 3)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(UserError, match=f'x\\{suffix}'):
        read_rgb(path)


@pytest.mark.parametrize('content', [b'', b'not an image at all', b'\xff\xd8', b'\xff\xd8\xff\xff\xff'])
def test_what_is_no_image(tmp_path, content):
    path = tmp_path / 'no.jpg'
    path.write_bytes(content)
    with pytest.raises(UserError, match=r'no\.jpg'):
        read_tir(path)


def test_missing_file(tmp_path):
    with pytest.raises(UserError, match=r'gone\.png: No such file'):
        read_rgb(tmp_path / 'gone.png')


def test_names_in_any_script(write):
    assert read_rgb(write('Wärmebild 熱.png', COLOURS)).shape == COLOURS.shape
