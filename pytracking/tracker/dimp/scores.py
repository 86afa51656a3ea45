"""From raw scores to what is localised on."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from ltr.admin.errors import UserError
from ltr.models.target_classifier.kl_descent import regularised_softmax
from pytracking.utils.params import TrackerParams

KINDS = ('none', 'exp', 'softmax')


def check(params: TrackerParams) -> None:
    """Refuse unknown `score_preprocess`, and an even `score_filter_ksz`, which has no centre.

    Raises:
        UserError: what is wrong.
    """
    kind, size = params.get('score_preprocess', None) or 'none', params.get('score_filter_ksz', None) or 1
    if kind not in KINDS:
        raise UserError(f'score_preprocess {kind!r} is none of {", ".join(KINDS)}: correct the parameter file')
    if size % 2 == 0:
        raise UserError(f'score_filter_ksz {size} is not odd: correct the parameter file')


def preprocess(scores: Tensor, params: TrackerParams, softmax_reg: float | None = None) -> Tensor:
    """Score maps (scales, H', W') as the localisation sees them.

    Args:
        scores: raw.
        params: `score_preprocess`: `'none'`, `'exp'`, or `'softmax'` over the map (PrDiMP, Sec. 5);
            `score_filter_ksz`: then every score is the sum over a square of so many cells, zero outside the map.
        softmax_reg: see `regularised_softmax`.
    """
    kind = params.get('score_preprocess', None) or 'none'
    if kind == 'exp':
        scores = scores.exp()
    elif kind == 'softmax':
        scores = regularised_softmax(scores, softmax_reg)
    size = params.get('score_filter_ksz', None) or 1
    if size > 1:
        ones = scores.new_ones(1, 1, size, size)
        scores = functional.conv2d(scores[:, None], ones, padding=size // 2)[:, 0]
    return scores
