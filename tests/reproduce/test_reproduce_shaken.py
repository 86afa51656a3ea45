"""A shaken clip: what is at a box before is at the moved box afterwards, in both halves."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmd_plugin.data.paired import PairedDataset
from cmd_plugin.reproduce.pairs import SomePairs
from cmd_plugin.reproduce.shaken import REACH, STEP, inside, matrices, moved, shake, walk
from ltr.data.image_loader import read_image

HEIGHT, WIDTH = 96, 128
BOX = np.array([[50.0, 36.0, 24.0, 20.0]])


@given(st.integers(0, 10 ** 6), st.integers(1, 200))
def test_a_walk_begins_still_and_keeps_to_its_steps_and_its_reach(seed, frames):
    places = walk(frames, np.random.default_rng(seed))
    assert places.shape == (frames, 3) and np.abs(places[0]).max() < 1e-12
    assert (np.abs(places) <= np.array(REACH) + 1e-12).all()
    assert (np.abs(np.diff(places, axis=0)) <= np.array(STEP) + 1e-12).all()


def test_a_long_walk_goes_everywhere():
    places = walk(3000, np.random.default_rng(0))
    assert (places.min(axis=0) < -0.9 * np.array(REACH)).all() and (places.max(axis=0) > 0.9 * np.array(REACH)).all()


@given(st.integers(0, 10 ** 6))
def test_corners_of_a_box_go_where_the_map_takes_them(seed):
    maps = matrices(walk(6, np.random.default_rng(seed)), (HEIGHT, WIDTH))
    boxes = np.repeat(BOX, 6, axis=0)
    x, y, w, h = moved(boxes, maps).T
    first = np.einsum('nij,nj->ni', maps, np.c_[boxes[:, :2], np.ones(6)])
    last = np.einsum('nij,nj->ni', maps, np.c_[boxes[:, :2] + boxes[:, 2:], np.ones(6)])
    np.testing.assert_allclose(np.c_[x, y], first)
    np.testing.assert_allclose(np.c_[x + w, y + h], last)


@pytest.mark.parametrize(('box', 'share'), [
    ((10, 10, 20, 20), 1), ((-10, 10, 20, 20), 0.5), ((120, 86, 16, 20), 0.25), ((200, 10, 20, 20), 0),
    ((-20, -20, 400, 400), HEIGHT * WIDTH / 160_000)])
def test_how_much_of_a_box_is_within_the_image(box, share):
    assert inside(np.array([box], float), (HEIGHT, WIDTH)) == pytest.approx([share])


@pytest.fixture
def pairs(tmp_path):
    """Five pairs alike: a bright box on dark ground, red in the visible half."""
    x, y, w, h = BOX[0].astype(int)
    for half, colour in (('visible', (0, 0, 255)), ('infrared', (200, 200, 200))):
        (tmp_path / 'pairs' / half).mkdir(parents=True)
        image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        image[y:y + h, x:x + w] = colour
        for number in range(5):
            cv2.imwrite(str(tmp_path / 'pairs' / half / f'{number}.png'), image)
    return SomePairs(PairedDataset(tmp_path / 'pairs'), range(5))


def test_both_halves_show_the_target_at_the_moved_box(pairs, tmp_path):
    files, maps, size = shake(pairs, range(1, 5), tmp_path / 'out', np.random.default_rng(3))
    boxes = moved(np.repeat(BOX, 4, axis=0), maps)
    assert size == (HEIGHT, WIDTH)
    assert len({tuple(box) for box in boxes.round(3).tolist()}) == 4
    for (visible, thermal), (x, y, w, h) in zip(files, boxes, strict=True):
        red, _, blue = np.moveaxis(read_image(visible), 2, 0)
        assert not blue.any()
        for bright in (red > 127, read_image(thermal)[..., 0] > 100):
            rows, columns = np.nonzero(bright)
            found = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
            assert np.abs(np.subtract(found, (x, y, x + w, y + h))).max() <= 1.01


def test_what_lies_beyond_the_border_is_what_is_at_it(tmp_path):
    (tmp_path / 'pairs' / 'visible').mkdir(parents=True)
    (tmp_path / 'pairs' / 'infrared').mkdir()
    for half in ('visible', 'infrared'):
        for number in range(30):
            cv2.imwrite(str(tmp_path / 'pairs' / half / f'{number}.png'), np.full((HEIGHT, WIDTH, 3), 90, np.uint8))
    files, _, _ = shake(SomePairs(PairedDataset(tmp_path / 'pairs'), range(30)), range(30), tmp_path / 'out',
                     np.random.default_rng(0))
    assert all((read_image(path) == 90).all() for pair in files for path in pair)
