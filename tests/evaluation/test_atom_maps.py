"""ATOM's labels, windows and upsampled score maps, against their formulas."""

from __future__ import annotations

import numpy as np
import pytest

from pytracking.tracker.atom.maps import gaussian_label, hann2d, upsampling


def fourier(scores: np.ndarray, size: int, kernel: int) -> np.ndarray:
    """The upsampling as a double sum over frequencies, both Nyquist terms at full weight, rotated to the middle."""
    cells = len(scores)
    half = cells // 2
    frequency = np.arange(-half, half + 1)
    forward = np.exp(-2j * np.pi * frequency[:, None] * np.arange(cells) / cells)
    coefficients = forward @ scores @ forward.T / cells ** 2
    theta = np.pi * (1 - (kernel % 2) / cells)
    back = np.exp(1j * frequency * (theta + 2 * np.pi * np.arange(size)[:, None] / size))
    fine = back @ coefficients @ back.T
    assert np.abs(fine.imag).max() < 1e-9
    return np.roll(fine.real, size // 2, axis=(0, 1))


@pytest.mark.parametrize(('cells', 'kernel', 'size'), [(18, 4, 288), (17, 5, 272), (18, 5, 288), (9, 4, 144)])
def test_upsampling_is_the_fourier_series(cells, kernel, size, rng):
    scores = rng.standard_normal((cells, cells))
    matrix = upsampling(cells, size, kernel)
    np.testing.assert_allclose(matrix @ scores @ matrix.T, fourier(scores, size, kernel), atol=1e-10)


@pytest.mark.parametrize(('cells', 'kernel'), [(18, 4), (17, 4), (9, 4), (9, 3), (18, 3)])
@pytest.mark.parametrize('offset', [(0.0, 0.0), (1.0, -2.0), (0.25, 0.5)])
def test_a_label_peaks_where_the_target_is(cells, kernel, offset):
    """Label and upsampling agree about the place of a target that lies `offset` cells off the crop's centre."""
    centre = np.array(offset) + (kernel + 1) % 2 / 2
    label = gaussian_label(np.array([cells, cells]), 0.9, centre)
    matrix = upsampling(cells, 16 * cells, kernel)
    fine = matrix @ label @ matrix.T
    peak = np.array(np.unravel_index(fine.argmax(), fine.shape))
    np.testing.assert_allclose((peak - 8 * cells) / 16, offset, atol=1 / 16)


def test_label_of_an_undisplaced_target():
    label = gaussian_label(np.array([18, 18]), 0.9, np.array([0.5, 0.5]))
    assert label[9, 9] == 1 == label.max()
    assert label[9, 10] == pytest.approx(np.exp(-1 / (2 * 0.9 ** 2)))


@pytest.mark.parametrize('size', [288, 145])
def test_window(size):
    window = hann2d(size)
    j = np.arange(size // 2 + 1)
    line = (1 + np.cos(2 * np.pi * j / (size + 2))) / 2
    np.testing.assert_allclose(window[size // 2, size // 2:], line[:size - size // 2])
    np.testing.assert_allclose(window[size // 2::-1, size // 2], line)
    assert window.min() > 0 and window.argmax() == (size // 2) * size + size // 2
