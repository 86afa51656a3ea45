"""A network as a tracker sees it: found by name, on a device, fed with images of 0..255."""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ltr.admin.device import pick_device
from ltr.admin.errors import UserError
from ltr.admin.loading import load_network
from pytracking.evaluation.environment import local_env_settings
from pytracking.features.prepared import prepared
from pytracking.features.speed import DEFAULT, Speed, on_device, preset

FORMATS = ('rgb', 'bgr', 'rgb255', 'bgr255')


def find_network(net_path: str | Path) -> Path:
    """The checkpoint `net_path` names: a path, or a name in one of the `network_path` folders.

    Raises:
        UserError: not found; lists where it was looked for.
    """
    given = Path(net_path).expanduser()
    folders = local_env_settings().network_path
    folders = [folders] if isinstance(folders, (str, Path)) else list(folders)
    places = [given] if given.is_absolute() else [given, *(Path(folder) / given for folder in folders)]
    for place in places:
        if place.exists():
            return place
    raise UserError(f'network {str(net_path)!r} not found; looked for {", ".join(map(str, places))}')


@functools.lru_cache(maxsize=4)
def _loaded(path: Path, modified: float, device: torch.device, speed: Speed) -> nn.Module:
    net, _ = load_network(path)
    return prepared(net.to(device), speed)


class NetWithBackbone:
    """A tracker network and the normalisation of its input.

    Args:
        net_path: checkpoint, see `find_network`, or a network that is loaded already.
        use_gpu: compute on the accelerator where there is one.
        initialize: load at once; otherwise at the first `initialize()`.
        image_format: `'rgb'` or `'bgr'`; with `255` the image is not divided by 255.
        mean, std: of the normalisation, ImageNet's by default.
        device: a certain device in place of the choice by `use_gpu`.
        speed: a preset by name, see `pytracking.features.speed`, or what is to be done on this device.

    Raises:
        UserError: unknown preset, or one that the device does not have.
    """

    def __init__(self, net_path: str | Path | nn.Module, use_gpu: bool = True, initialize: bool = False,
                 image_format: str = 'rgb', mean: Sequence[float] = (0.485, 0.456, 0.406),
                 std: Sequence[float] = (0.229, 0.224, 0.225), device: torch.device | None = None,
                 speed: str | Speed = DEFAULT) -> None:
        if image_format not in FORMATS:
            raise ValueError(f'image_format must be one of {FORMATS}, not {image_format!r}')
        self.net_path = net_path
        self.device = device or pick_device('auto' if use_gpu else 'cpu')
        self.speed = speed if isinstance(speed, Speed) else on_device(preset(speed), self.device.type)
        self.image_format = image_format
        factor = 1.0 if image_format.endswith('255') else 255.0
        self._constants = tuple(mean), tuple(std), self.device
        scaled_mean = torch.tensor(mean, device=self.device).view(1, -1, 1, 1) * factor
        self._inverse_std = 1 / (torch.tensor(std, device=self.device).view(1, -1, 1, 1) * factor)
        self._offset = -scaled_mean * self._inverse_std
        self._net: Any = None
        if initialize:
            self.initialize()

    def initialize(self) -> None:
        """Load the network, once. Raises as `ltr.load_network` and `find_network`."""
        if self._net is not None:
            return
        if isinstance(self.net_path, nn.Module):
            self._net = prepared(self.net_path, self.speed).to(self.device)
        else:
            path = find_network(self.net_path)
            self._net = _loaded(path, path.stat().st_mtime, self.device, self.speed)

    @property
    def net(self) -> Any:
        """The network, loaded when first asked for."""
        self.initialize()
        return self._net

    def choose(self, speed: str) -> None:
        """Take another preset. Raises UserError as the class, and when the network is loaded already."""
        if self._net is not None:
            raise UserError('the network is loaded before its speed is chosen: leave out the speed, or do not load it '
                            'in the parameter file')
        self.speed = on_device(preset(speed), self.device.type)

    @property
    def key(self) -> Hashable:
        """Equal for wrappers that compute the same: their images may pass through the network together."""
        return id(self.net), self.image_format, self._constants

    def __getattr__(self, name: str) -> Any:
        if name.startswith('_'):
            raise AttributeError(name)
        return getattr(self.net, name)

    def preprocess_image(self, image: Tensor) -> Tensor:
        """Normalised network input of (N, 3, H, W) RGB images of 0..255."""
        if self.image_format.startswith('bgr'):
            image = image.flip(1)
        return torch.addcmul(self._offset, image, self._inverse_std)

    def extract_backbone(self, image: Tensor) -> OrderedDict[str, Tensor]:
        """Backbone features by layer of (N, 3, H, W) RGB images of 0..255."""
        return self.net.extract_backbone_features(self.preprocess_image(image))

    def extract_backbones(self, images: Sequence[Tensor]) -> list[OrderedDict[str, Tensor]]:
        """`extract_backbone` of several batches of images, equal in shape, in one pass."""
        number = len(images)
        layers = {name: found.chunk(number) for name, found in self.extract_backbone(torch.cat(list(images))).items()}
        return [OrderedDict((name, parts[index]) for name, parts in layers.items()) for index in range(number)]
