"""DiMP's stock parameters with the newest distilled network."""

from __future__ import annotations

from typing import Any

from cmd_plugin.selection import distilled_network
from pytracking.features.net_wrappers import NetWithBackbone
from pytracking.parameter.dimp import dimp50


def _small() -> Any:
    from pytracking.parameter.dimp import dimp_small
    return dimp_small.parameters()


def parameters() -> Any:
    """Stock DiMP parameters; the network is the newest distilled one, or the file named by CMD_NETWORK.

    Raises:
        UserError: there is no distilled network, or the named one is the parent.
    """
    path, crop_size = distilled_network()
    params = dimp50.parameters() if crop_size == 288 else _small()
    params.net = NetWithBackbone(net_path=str(path), use_gpu=params.use_gpu)
    return params
