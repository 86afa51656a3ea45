"""What a tracker may do to be fast: the presets behind `--speed`. Imports nothing heavy.

None of them changes what is computed beyond rounding: tests hold the boxes of every preset to half a pixel of those of
`plain`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ltr.admin.errors import UserError
from ltr.admin.plugins import unknown


@dataclass(frozen=True)
class Speed:
    """What is done on a device.

    Attributes:
        name: of the preset.
        folded: track with `tracking_copy`: batch norms folded, channels last, Winograd's convolutions on the CPU.
        closed_form: the gradient of the IoU in closed form, not by autograd, where the predictor is known.
        windows: compute IoU features only around the proposals; not with `half`.
        half: convolutions of what every frame passes through in float16, all else in float32.
        graphs: replay recorded CUDA graphs of these convolutions, of scoring and of box refinement.
    """

    name: str
    folded: bool = True
    closed_form: bool = True
    windows: bool = False
    half: bool = False
    graphs: bool = False


PRESETS = {
    'plain': Speed('plain', folded=False, closed_form=False),
    'exact': Speed('exact'),
    'fast': Speed('fast', half=True),
    'graph': Speed('graph', half=True, graphs=True),
}
"""As they are on CUDA."""
DEFAULT = 'exact'
HELP = (f'{", ".join(PRESETS)} (default {DEFAULT}): plain computes with the network as it is; exact with a faster copy '
        'of it in float32; on CUDA, fast with float16 convolutions, and graph with recorded CUDA graphs as well')


def preset(name: str) -> Speed:
    """The preset of this name.

    Raises:
        UserError: there is none; all are listed.
    """
    if name not in PRESETS:
        raise UserError(unknown('speed', name, list(PRESETS)))
    return PRESETS[name]


def on_device(speed: Speed, device_type: str) -> Speed:
    """What a preset means on a device (`'cpu'`, `'cuda'`, `'mps'`); `name` says which preset that is there.

    Other devices than CUDA have no numbers that are faster and exact enough: float16 is slow on CPUs, and bfloat16
    moves boxes by many pixels. So `fast` is `exact` there.

    Raises:
        UserError: CUDA graphs are asked for elsewhere.
    """
    if device_type == 'cuda':
        return speed
    if speed.graphs:
        raise UserError(f'--speed {speed.name} records CUDA graphs, which the device {device_type} does not have: use '
                        f'--speed {DEFAULT}')
    here = PRESETS[DEFAULT] if speed.half else speed
    return replace(here, windows=here.closed_form and device_type == 'cpu')
