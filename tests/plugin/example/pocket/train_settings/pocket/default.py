"""`run_training.py pocket default --data VIDEO`: the parent, by the same loss on boxes that people have drawn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ltr.actors import BaseActor
from ltr.admin.settings import Settings
from ltr.data import LTRLoader
from ltr.data import transforms as tfm
from ltr.data.processing import DiMPProcessing
from ltr.data.sampler import DiMPSampler
from ltr.dataset import open_dataset
from ltr.trainers import LTRTrainer
from pocket.network import CROP, STRIDE, pocketnet


class PocketActor(BaseActor):
    """Scores of the test frame against its label."""

    def __call__(self, data: Mapping[str, Any]) -> tuple[Tensor, dict[str, float]]:
        """See `BaseActor`; one reference and one test frame a sample."""
        net: Any = self.net
        reference, test = (net.extract_backbone_features(data[f'{name}_images'][0]) for name in ('train', 'test'))
        scores = net.scores(net.target(reference, data['train_anno'][0]), net.search(test))
        loss = self.objective(scores, data['test_label'][0])
        return loss, {'Loss/total': loss.item()}


def processing() -> DiMPProcessing:
    """Jittered crops, and labels of 16 x 16 cells."""
    return DiMPProcessing(
        5.0, CROP, {'train': 0.0, 'test': 3.0}, {'train': 0.0, 'test': 0.25}, mode='sequence',
        label_function_params={'feature_sz': CROP // STRIDE, 'sigma_factor': 0.1, 'kernel_sz': 1},
        transform=tfm.Transform(tfm.ToTensorAndJitter(0.2),
                                tfm.Normalize(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))))


def run(settings: Settings) -> None:
    """Train on the folders of `--data`."""
    sampler = DiMPSampler([open_dataset(folder) for folder in settings.option('data', [])], None,
                          settings.option('samples', 1000), max_gap=30, num_test_frames=1, processing=processing())
    loader = LTRLoader('train', sampler, batch_size=settings.option('batch', 16), drop_last=True, stack_dim=1,
                       num_workers=settings.option('workers', 2))
    net = pocketnet()
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    LTRTrainer(PocketActor(net, torch.nn.MSELoss()), [loader], optimizer, settings).train(
        settings.option('epochs', 20), load_latest=True)
