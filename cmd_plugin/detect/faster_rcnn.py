"""Faster R-CNN of torchvision, trained on COCO."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torchvision.models import detection

from cmd_plugin.detect.detector import Candidates
from cmd_plugin.errors import UserError

VERSIONS = ('fasterrcnn_resnet50_fpn_v2', 'fasterrcnn_resnet50_fpn')
"""Networks whose weights are understood; the first is fetched where no file is given."""
NO_CLASS = ('__background__', 'N/A')


class FasterRCNNDetector:
    """torchvision's Faster R-CNN with a ResNet-50 and a feature pyramid.

    Args:
        weights: state dict as torchvision publishes it, of either version; by default torchvision's loader fetches that
            of version 2 (167 MB, once, into torch's hub folder).
        device: by default the GPU where there is one.

    Raises:
        UserError: weights that cannot be fetched, read, or are of another network.
    """

    def __init__(self, weights: Path | None = None, device: str | None = None) -> None:
        self.device = torch.device(device or ('cuda' if torch.cuda.is_available() else 'cpu'))
        published = detection.FasterRCNN_ResNet50_FPN_V2_Weights.COCO_V1
        self.categories = tuple(published.meta['categories'])
        self.names = tuple(name for name in self.categories if name not in NO_CLASS)
        if weights is None:
            state, self.source = _fetch(published), f'{VERSIONS[0]} {published}'
        else:
            state = _read(weights)
            self.source = f'fasterrcnn {weights.name} sha256:{hashlib.sha256(weights.read_bytes()).hexdigest()[:16]}'
        self.net = _build(state, weights).eval().to(self.device)

    @torch.inference_mode()
    def __call__(self, image: NDArray[np.uint8], least: float) -> Candidates:
        """Detect; see `Detector`."""
        tensor = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1).float().div(255)
        found = {name: value.cpu().numpy() for name, value in self.net([tensor.to(self.device)])[0].items()}
        sure = [place for place, (score, label) in enumerate(zip(found['scores'], found['labels'], strict=True))
                if score >= least and self.categories[label] not in NO_CLASS]
        return Candidates(found['boxes'][sure], found['scores'][sure],
                          [self.categories[label] for label in found['labels'][sure]])


def _fetch(published: Any) -> dict[str, Any]:
    """Weights by torchvision's own loader."""
    try:
        return dict(published.get_state_dict(progress=True, check_hash=True))
    except (OSError, RuntimeError) as error:
        raise UserError(f'the weights of Faster R-CNN cannot be fetched from {published.url} ({error}): fetch them '
                        'on a machine with a network and give --weights FILE, or use --model FILE.onnx') from None


def _read(path: Path) -> dict[str, Any]:
    """Weights of a file, read as data only."""
    try:
        state = torch.load(path, map_location='cpu', weights_only=True)
    except OSError as error:
        raise UserError(f'cannot read weights {path}: {error.strerror or error}') from None
    except Exception as error:  # a damaged file can make the unpickler fail in any way
        reason = (str(error).strip() or type(error).__name__).splitlines()[0][:120]
        raise UserError(f'{path} holds no weights ({reason})') from error
    return state if isinstance(state, dict) else {}


def _build(state: dict[str, Any], path: Path | None) -> torch.nn.Module:
    """The network that the weights fit."""
    for name in VERSIONS:
        net: torch.nn.Module = getattr(detection, name)(weights=None, weights_backbone=None)
        own = net.state_dict()
        # Counters of batch norms are absent in the older file.
        if all(key in state and state[key].shape == value.shape for key, value in own.items()
               if not key.endswith('num_batches_tracked')):
            net.load_state_dict(state, strict=False)
            return net
    raise UserError(f'detector file of another model: {path} does not hold the weights of {" or ".join(VERSIONS)} of '
                    'torchvision, trained on COCO')
