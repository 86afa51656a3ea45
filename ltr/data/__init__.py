"""Training data: reading, transforming, cropping, sampling and batching of frames."""

from __future__ import annotations

from ltr.data.loader import LTRLoader

__all__ = ['LTRLoader']
