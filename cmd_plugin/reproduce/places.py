"""Where everything lies: the data that is read, and the workspace that is written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cmd_plugin.errors import UserError
from ltr.admin.whole import write_whole

PARTS = {
    'rgb': 'labelled RGB sequences, <sequence>/img and groundtruth_rect.txt',
    'rgb_stills': 'RGB photographs with boxes, annotations.json in COCO format and img/',
    'pairs': 'aligned RGB-TIR pairs, <set>/visible and <set>/infrared',
    'tir': 'thermal sequences in the layout of rgb',
    'tir_mot': 'thermal video with MOT text, <video>/img and <video>/gt/gt.txt',
    'weights/resnet18_imagenet_to_layer3.safetensors': 'a ResNet-18 trained on ImageNet, conv1 to layer3',
    'weights/yolox_nano_coco.onnx': 'a detector trained on COCO, as ONNX',
}
"""What the data folder has to hold."""


@dataclass(frozen=True)
class Data:
    """The data folder, which is only read."""

    root: Path

    def check(self) -> None:
        """Raise `UserError` with the first part that is missing."""
        if not self.root.is_dir():
            raise UserError(f'no folder {self.root}: --data DIR holds {", ".join(PARTS)}')
        for part, what in PARTS.items():
            if not (self.root / part).exists():
                raise UserError(f'{self.root / part} is missing: {what} (docs/results.md lists what --data DIR holds)')

    @property
    def backbone(self) -> Path:
        """Weights of the backbone."""
        return self.root / 'weights' / 'resnet18_imagenet_to_layer3.safetensors'

    @property
    def detector(self) -> Path:
        """The detector."""
        return self.root / 'weights' / 'yolox_nano_coco.onnx'


@dataclass(frozen=True)
class Work:
    """The workspace of one size."""

    root: Path

    @property
    def boxes(self) -> Path:
        """Detected boxes of all pairs, COCO JSON."""
        return self.root / 'boxes.json'

    @property
    def clips(self) -> Path:
        """Targets of the selection clips with their pseudo truth."""
        return self.root / 'clips.json'

    @property
    def shaken(self) -> Path:
        """Frames of the selection clips as a moving camera sees them."""
        return self.root / 'clips'

    @property
    def parent(self) -> Path:
        """The parent."""
        return self.backbone('')

    @property
    def kept_out(self) -> Path:
        """Figures of the parent and of trackers without a network on kept-out RGB."""
        return self.root / 'kept_out.json'

    @property
    def results(self) -> Path:
        """Everything that came out, as numbers."""
        return self.root / 'results.json'

    @property
    def choice(self) -> Path:
        """The lock: what was chosen, and when."""
        return self.root / 'choice.json'

    @property
    def tracking(self) -> Path:
        """Boxes of all trackers."""
        return self.root / 'tracking'

    @property
    def scratch(self) -> Path:
        """What may be removed at any time when nothing runs."""
        return self.root / 'scratch'

    @property
    def report(self) -> Path:
        """Tables, plots, pictures, networks to hand on."""
        return self.root / 'report'

    def epoch(self, number: int) -> Path:
        """Loss and kept-out Success after an epoch of the parent."""
        return self.root / 'parent' / f'epoch_{number:03d}.json'

    def backbone(self, name: str) -> Path:
        """The parent with another backbone; by no name the parent itself."""
        return self.root / f'{name or "parent"}.pth.tar'

    def store(self, samples: str) -> Path:
        """Stored samples of pairs, by their kind."""
        return self.root / 'store' / f'{samples}.npz'

    def candidate(self, row: str, rate: float) -> Path:
        """Selection scores of a row at a rate."""
        return self.root / 'candidates' / f'{row}_{rate:g}.json'

    def child(self, rank: int, kind: str, seed: int) -> Path:
        """A trained network: `kind` is `child` or `control`, `rank` the place of its row in the choice."""
        return self.root / 'children' / f'{rank}_{kind}_seed{seed}.pth.tar'

    def figures(self, name: str) -> Path:
        """Figures of a tracker on the test runs."""
        return self.root / 'evaluation' / f'{name}.json'


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file as a whole or not at all."""
    write_whole(path, f'{json.dumps(content, indent=1, allow_nan=False)}\n'.encode())


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON file that an earlier stage wrote. Raises `UserError` where it is missing or damaged."""
    try:
        return json.loads(path.read_text(encoding='utf-8'))
    except FileNotFoundError:
        raise UserError(f'{path} is not there: run the stages before this one first (leave --stages out)') from None
    except (OSError, ValueError) as error:
        raise UserError(f'cannot read {path} ({error}): remove it, and run the same command again') from error
