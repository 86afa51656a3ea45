"""The thermal camera: from a temperature field to 8 bits.

Lens blur and halo, the lag of a bolometer, sensor noise, fixed-pattern noise, automatic gain, polarity.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from .noise import FloatImage, cut, fractal, noise_pool

_BINS = 2048
_LOW, _STEP = -50.0, 150.0 / _BINS
# The converter: counts of the sensor, from -50 to 100 degrees Celsius.


@dataclass(frozen=True)
class ThermalSensor:
    """Traits of one thermal camera.

    Attributes:
        blur: standard deviation of the point spread, px.
        halo: weight of the wide surround; > 0 leaves dark rims around hot things, < 0 a glow.
        reach: size of the surround, px.
        lag: share of the previous frame that remains.
        noise: temporal noise, K.
        fixed: fixed-pattern noise (height, width), K.
        plateau: 0 stretches between percentiles; else histogram equalisation with this clip limit.
        tails: percentiles left out at either end (0 ... 1).
        output: lowest and highest grey value used, 0 ... 255.
        least_span: K below which the gain does not rise.
        black_hot: hot is dark.
    """

    blur: float
    halo: float
    reach: float
    lag: float
    noise: float
    fixed: FloatImage
    plateau: float
    tails: tuple[float, float]
    output: tuple[float, float]
    least_span: float
    black_hot: bool

    def without_lag(self) -> ThermalSensor:
        """The same camera for frames that do not follow each other."""
        return replace(self, lag=0.0)


def draw_sensor(
    rng: np.random.Generator, shape: tuple[int, int], unit: float, black_hot: bool
) -> ThermalSensor:
    """Draw a camera: from a good cooled one to a poor bolometer."""
    poor = rng.uniform(0, 1)
    columns = rng.normal(0, 1, (1, shape[1])) * rng.uniform(0, 0.22)
    rows = rng.normal(0, 1, (shape[0], 1)) * rng.uniform(0, 0.1)
    grain = rng.normal(0, 1, shape) * rng.uniform(0.05, 0.25)
    shade = fractal(rng, shape, shape[1] / 1.5, 0.3) * rng.uniform(0, 0.7)
    fixed = ((columns + rows + grain) * poor + shade).astype(np.float32)
    dull = rng.random() < 0.3
    return ThermalSensor(
        blur=float(rng.uniform(0.45, 0.7) + 0.7 * poor) * unit,
        halo=float(rng.uniform(-0.25, 0.45)),
        reach=float(rng.uniform(5, 14)) * unit,
        lag=float(rng.uniform(0, 0.35)) * poor,
        noise=0.05 + 0.4 * poor * float(rng.uniform(0.3, 1)),
        fixed=fixed,
        plateau=float(rng.uniform(2.5, 6)) if rng.random() < 0.35 else 0.0,
        tails=(float(rng.uniform(0.002, 0.03)), float(rng.uniform(0.002, 0.012))),
        output=(float(rng.uniform(0, 45)), float(rng.uniform(150, 255))) if dull else (0.0, 255.0),
        least_span=float(rng.uniform(5, 9)),
        black_hot=black_hot,
    )


class ThermalCamera:
    """A sensor at work: frames go in one after the other (it has a memory).

    Args:
        sensor: traits.
        rng: source of the temporal noise.
    """

    def __init__(self, sensor: ThermalSensor, rng: np.random.Generator) -> None:
        self._sensor, self._rng = sensor, rng
        self._pool = noise_pool(rng, sensor.fixed.shape) * np.float32(sensor.noise)
        self._last: FloatImage | None = None
        self._curve: NDArray[np.float32] | None = None

    def _optics(self, field: FloatImage) -> FloatImage:
        s = self._sensor
        seen = cv2.GaussianBlur(field, (0, 0), s.blur, borderType=cv2.BORDER_REPLICATE)
        if s.halo:
            height, width = field.shape
            small = cv2.resize(seen, (width // 4, height // 4), interpolation=cv2.INTER_AREA)
            small = cv2.GaussianBlur(small, (0, 0), s.reach / 4, borderType=cv2.BORDER_REPLICATE)
            wide = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
            seen = cv2.addWeighted(seen, 1 + s.halo, wide, -s.halo, 0)
        return np.asarray(seen, np.float32)

    def _gain(self, index: NDArray[np.uint16]) -> NDArray[np.float32]:
        """The curve from temperature bins to grey (0 ... 1), eased from frame to frame."""
        s = self._sensor
        counts = np.bincount(index.ravel(), minlength=_BINS)[:_BINS].astype(np.float64)
        share = np.cumsum(counts) / counts.sum()
        low = int(np.searchsorted(share, s.tails[0]))
        high = int(np.searchsorted(share, 1 - s.tails[1]))
        if (high - low) * _STEP < s.least_span:
            spare = int((s.least_span / _STEP - (high - low)) / 2)
            low, high = low - spare, high + spare
        if s.plateau:
            limit = s.plateau * counts.sum() / max(high - low, 1)
            clipped = np.minimum(counts, limit) + 0.15 * limit / s.plateau
            clipped[: max(low, 0)] = clipped[min(high, _BINS) :] = 0
            curve = np.cumsum(clipped) / max(clipped.sum(), 1e-9)
        else:
            curve = np.clip((np.arange(_BINS) - low) / max(high - low, 1), 0, 1)
        curve = curve.astype(np.float32)
        self._curve = curve if self._curve is None else 0.75 * self._curve + 0.25 * curve
        return self._curve

    def shoot(self, field: FloatImage) -> NDArray[np.uint8]:
        """One frame.

        Args:
            field: temperatures, float32 (height, width), degrees Celsius.

        Returns:
            uint8 (height, width).
        """
        s = self._sensor
        seen = self._optics(field)
        if self._last is not None and s.lag:
            seen = np.asarray(cv2.addWeighted(seen, 1 - s.lag, self._last, s.lag, 0), np.float32)
        self._last = seen
        noisy = seen + s.fixed + cut(self._rng, self._pool, field.shape)
        index = np.clip((noisy - np.float32(_LOW)) * np.float32(1 / _STEP), 0, _BINS - 1).astype(np.uint16)
        low, high = s.output
        grey = (low + (high - low) * self._gain(index) + 0.5).astype(np.uint8)
        if s.black_hot:
            grey = 255 - grey
        return grey[index]
