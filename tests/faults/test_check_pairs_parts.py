"""The measurements of `check-pairs`, each against what is known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from cmd_plugin.check_pairs.looks import colourfulness, perceptual_hash
from cmd_plugin.check_pairs.near import BITS, bits_apart, nearest_before
from cmd_plugin.check_pairs.registration import measure_shift
from cmd_plugin.check_pairs.survey import survey
from cmd_plugin.data.paired import PairedDataset
from tests.faults.pair_scenes import HEIGHT, WIDTH, scene


@pytest.mark.parametrize('shift', [(0, 0), (6.5, -3.25), (-11, 4.5), (0.4, 0.3), (45, -20), (-38, 30)])
def test_the_shift_is_measured_to_a_fraction_of_a_pixel(shift):
    for seed in (0, 1):
        rgb, tir = scene(seed, shift)
        found = measure_shift(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), tir)
        assert (found.dx, found.dy) == pytest.approx(shift, abs=0.35) and found.agreement > 0.2


def test_halves_of_different_scenes_have_no_shift():
    told = []
    for seed in range(8):
        grey = cv2.cvtColor(scene(seed)[0], cv2.COLOR_RGB2GRAY)
        told.append(not np.isnan(measure_shift(grey, scene(seed + 50)[1]).dx))
    assert sum(told) <= 1
    flat = np.full((HEIGHT, WIDTH), 9, np.uint8)
    for one, other in ((grey, flat), (flat, flat), (grey[:20, :20], grey[:20, :20])):
        assert np.isnan(measure_shift(one, other).dx)


def test_near_hashes_are_found_as_by_comparing_all():
    rng = np.random.default_rng(0)
    hashes = rng.integers(1, 2 ** 63, (300, 1), dtype=np.uint64)
    for late, early, bits in ((200, 10, 0), (201, 11, 1), (202, 12, 3), (299, 0, 2)):
        hashes[late] = hashes[early] ^ np.uint64(sum(1 << int(bit) for bit in rng.choice(64, bits, replace=False)))
    partner = nearest_before(hashes, lambda early, late: np.ones(len(early), bool))
    apart = bits_apart(hashes[:, None], hashes[None])[..., 0]
    expected = {late: early for late in range(300) for early in range(late) if apart[late, early] <= BITS}
    assert {late: int(partner[late]) for late in np.flatnonzero(partner >= 0).tolist()} == expected
    assert set(expected) == {200, 201, 202, 299}


def test_hash_and_colour():
    rgb, tir = scene(5)
    small = cv2.resize(tir, (100, 80), interpolation=cv2.INTER_AREA)
    first, second, third = (perceptual_hash(image) for image in (tir, small, scene(6)[1]))
    assert bits_apart(np.array([first]), np.array([second]))[0] <= BITS < bits_apart(np.array([first]),
                                                                                       np.array([third]))[0]
    assert colourfulness(np.repeat(tir[..., None], 3, axis=2)) == pytest.approx(0, abs=1e-4) and colourfulness(rgb) > 15


@pytest.mark.slow
@pytest.mark.parametrize(('name', 'low', 'high', 'told'), [
    ('roadscene', 0.0, 1.0, 0.95), ('m3svd', 0.0, 0.6, 0.99), ('msrs', 1.4, 2.6, 0.85), ('tno', 2.0, 5.0, 0.8)])
def test_real_pairs_have_the_shifts_that_are_known(shared_data, name, low, high, told):
    """Median distance, px, as the folder's own description says."""
    dataset = PairedDataset(shared_data / 'pairs' / name)
    lengths = np.hypot(*survey(dataset, 2).shifts[:, :2].T)
    assert (~np.isnan(lengths)).mean() >= told and low <= np.nanmedian(lengths) <= high
