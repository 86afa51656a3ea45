"""Backbone features of augmented pairs, computed once: children that share a backbone share them, too.

The backbone never learns and is half of a distillation step, and all children, controls and seeds look at the same
pairs. So a fixed number of samples is made as in any distillation, and of each the features of its four crops are
kept (float16, memory-mapped). A picture in the store is known by its number, which travels in the place of pixels.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from cmd_plugin.data.processing import cross_modal_processing, split
from cmd_plugin.data.pseudo_boxes import make_pseudo_box
from cmd_plugin.data.sampler import PairedSampler, PairSource
from cmd_plugin.errors import UserError
from cmd_plugin.reproduce.sizes import Size
from ltr.admin.seeding import drawing
from ltr.admin.whole import replacing
from pytracking import TensorDict

BEFORE, LAYER = 'layer2', 'layer3'
"""The layer that may learn, and what it reads."""
KEPT = ('train_anno', 'test_anno', 'test_proposals', 'proposal_iou', 'test_label')
"""What the actor reads beside images."""
CROPS = 4
"""A sample: reference RGB, reference TIR, test RGB, test TIR."""
SEED = 1000


class Store:
    """Stored samples and their features.

    Args:
        path: the `.npz` of samples; features lie beside it, one `.npy` a layer.

    Raises:
        UserError: there is none.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise UserError(f'{path} is not there: run the stage candidates first (leave --stages out)')
        with np.load(path) as archive:
            self.samples = {key: torch.from_numpy(archive[key]) for key in KEPT}
            self.layers = {str(name): np.load(features_file(path, str(name)), mmap_mode='r')
                           for name in archive['layers']}

    def __len__(self) -> int:
        return len(self.samples[KEPT[0]])

    def features(self, images: Tensor, layers: Sequence[str] | None = None) -> OrderedDict[str, Tensor]:
        """Features of the pictures whose numbers are in `images` (N, 3, 1, 1), float32, without gradient."""
        numbers = images[:, 0, 0, 0].long().cpu().numpy()
        return OrderedDict((name, torch.from_numpy(maps[numbers].astype(np.float32)).to(images.device))
                           for name, maps in self.layers.items() if layers is None or name in layers)

    def attach(self, net: Any, opened: bool = False) -> None:
        """Let a network look pictures up in place of computing them; with `opened` it computes its last layer."""
        net.extract_backbone_features = partial(self._opened, net.feature_extractor) if opened else self.features

    def _opened(self, backbone: Any, images: Tensor) -> OrderedDict[str, Tensor]:
        before = self.features(images, [BEFORE])
        return OrderedDict([*before.items(), (LAYER, getattr(backbone, LAYER)(before[BEFORE]))])


class StoredPairs(Dataset[Any]):
    """Random stored samples, as a loader wants them.

    Args:
        store: where they are.
        samples: length of an epoch.
        reads: what stands at the places of the RGB and of the thermal crop: 0 the RGB one, 1 the thermal one.
        matched: False gives the reference branch the box of the test crop.
    """

    def __init__(self, store: Store, samples: int, reads: tuple[int, int], matched: bool = True) -> None:
        self.store, self.samples, self.reads, self.matched = store, samples, reads, matched

    def __len__(self) -> int:
        return self.samples

    def __getitem__(self, index: int) -> TensorDict:
        """A sample drawn from numpy's generator, which the loader seeds; `index` plays no part."""
        place = int(np.random.randint(len(self.store)))
        kept = {key: values[place] for key, values in self.store.samples.items()}
        if not self.matched:
            kept['train_anno'] = kept['test_anno']
        return TensorDict({'train_images': self._numbers(place, 0), 'test_images': self._numbers(place, 2), **kept})

    def _numbers(self, place: int, first: int) -> Tensor:
        """(1, 6, 1, 1): number of the first crop three times, then that of the second."""
        pair = [float(place * CROPS + first + crop) for crop in self.reads for _ in range(3)]
        return torch.tensor(pair).view(1, 6, 1, 1)


def features_file(path: Path, layer: str) -> Path:
    """Features of a layer beside the samples."""
    return path.with_name(f'{path.stem}_{layer}.npy')


@dataclass(frozen=True)
class Views:
    """The augmented samples of a size, the same ones whenever they are asked for.

    Attributes:
        pairs: the training pairs.
        kind: of the pseudo box.
        boxes: of a detector, for `detection`.
        size: crop and number of samples.
    """

    pairs: PairSource
    kind: str
    boxes: Path | None
    size: Size

    def __iter__(self) -> Iterator[Any]:
        sampler = PairedSampler(self.pairs, make_pseudo_box(self.kind, None, self.boxes), self.size.views,
                                cross_modal_processing(self.size.crop, self.size.cells,
                                                       label_sigma=self.size.label_sigma))
        for place in range(self.size.views):
            with drawing(SEED + place):
                sample = sampler[place]
            yield sample


def crops_of(sample: Any) -> Tensor:
    """The four crops (4, 3, H, W) of a sample: RGB at the even places, thermal ones at the odd."""
    return torch.cat([part for name in ('train_images', 'test_images') for part in split(sample[name])])


@torch.no_grad()
def make_store(path: Path, networks: Sequence[Any], views: Views, device: torch.device) -> None:
    """Make samples and features; the file of the samples comes last, so a store that is there is whole.

    Args:
        path: of the samples.
        networks: whose backbone reads RGB crops, and whose reads thermal ones; may be the same.
        views: the samples.
        device: where the backbones run.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    for net in networks:
        net.to(device).eval()
    maps: dict[str, Any] = {}
    kept: dict[str, list[np.ndarray]] = {key: [] for key in KEPT}
    for place, sample in enumerate(views):
        for key in KEPT:
            kept[key].append(sample[key].numpy())
        crops = crops_of(sample).to(device)
        for first, net in enumerate(networks):
            for layer, values in net.extract_backbone_features(crops[first::2]).items():
                if layer not in maps:
                    maps[layer] = np.lib.format.open_memmap(
                        features_file(path, layer), 'w+', np.float16, (views.size.views * CROPS, *values.shape[1:]))
                maps[layer][place * CROPS + first:(place + 1) * CROPS:2] = values.cpu().numpy()
    for array in maps.values():
        array.flush()
    with replacing(path) as temporary, open(temporary, 'wb') as file:
        arrays: dict[str, Any] = {key: np.stack(values) for key, values in kept.items()}
        np.savez(file, layers=np.array(list(maps)), **arrays)
