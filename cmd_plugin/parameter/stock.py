"""The stock parameters that distilled networks are tracked with."""

from __future__ import annotations

from typing import Any

from cmd_plugin.errors import UserError

STOCK_CROP, WIDE_CROP = 288, 352
NO_SMALL = ('this network is made for small crops, which a stock checkout has no parameters for: '
            'track it with the toolkit that it comes from')


def dimp(crop_size: int) -> Any:
    """DiMP's parameters for crops of this side, px."""
    if crop_size == STOCK_CROP:
        from pytracking.parameter.dimp import dimp50
        return dimp50.parameters()
    try:
        from pytracking.parameter.dimp import dimp_small
    except ImportError:
        raise UserError(NO_SMALL) from None
    return dimp_small.parameters()


def atom(crop_size: int) -> Any:
    """ATOM's parameters for crops of this side, px."""
    if crop_size == STOCK_CROP:
        from pytracking.parameter.atom import default
        return default.parameters()
    try:
        from pytracking.parameter.atom import atom_small
    except ImportError:
        raise UserError(NO_SMALL) from None
    return atom_small.parameters()


def kys(crop_size: int) -> Any:
    """KYS's parameters for crops of this side, px."""
    if crop_size == STOCK_CROP:
        from pytracking.parameter.kys import default
        return default.parameters()
    try:
        from pytracking.parameter.kys import kys_small
    except ImportError:
        raise UserError(NO_SMALL) from None
    return kys_small.parameters()


def tomp(crop_size: int) -> Any:
    """ToMP's parameters for crops of this side, px."""
    from pytracking.parameter.tomp import tomp50
    return _sized(tomp50.parameters(), crop_size)


def prdimp(crop_size: int) -> Any:
    """PrDiMP's parameters for crops of this side, px: those of the wide search area are 352 px."""
    from pytracking.parameter.dimp import prdimp18, prdimp50
    return _sized((prdimp50 if crop_size == WIDE_CROP else prdimp18).parameters(), crop_size)


def super_dimp(crop_size: int) -> Any:
    """SuperDiMP's parameters for crops of this side, px."""
    from pytracking.parameter.dimp import super_dimp
    return _sized(super_dimp.parameters(), crop_size)


def _sized(params: Any, crop_size: int) -> Any:
    params.image_sample_size = crop_size
    return params
