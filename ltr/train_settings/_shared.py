"""What all stock settings have in common: flags, loader, initial weights, the run itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import nn

from ltr.admin.errors import UserError
from ltr.admin.loading import load_weights
from ltr.admin.settings import Settings
from ltr.data import transforms as tfm
from ltr.data.loader import LTRLoader
from ltr.dataset import open_dataset

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet, RGB in [0, 1]
SEARCH_AREA_FACTOR = 5.0
STRIDE = 16  # px of the crop a feature cell
OUTPUT_SIGMA = 1 / 4 / SEARCH_AREA_FACTOR  # of the label, relative to the feature map
HINGE = 0.05  # label below which a cell is background
PROPOSALS: Mapping[str, Any] = {'min_iou': 0.1, 'sigma_factor': [0.01, 0.05, 0.1, 0.2, 0.3]}
WORKERS = 4


SETTINGS: Mapping[str, str] = {
    **{net: f'dimp {net}' for net in ('dimp18', 'dimp50', 'dimp_small', 'prdimp18', 'prdimp50', 'super_dimp')},
    **{net: f'tomp {net}' for net in ('tomp18', 'tomp50', 'tomp_small')},
    'atom18': 'bbreg atom', 'atom50': 'bbreg atom --net atom50', 'atom_small': 'bbreg atom_small',
    'kys50': 'kys kys', 'kys18': 'kys kys --net kys18', 'kys_small': 'kys kys_small'}
"""What trains a network."""


def check_net(settings: Settings, *names: str) -> str:
    """The network of `--net`, by default the first of the setting's; `UserError` for one that is none of them."""
    given = settings.option('net', names[0])
    if given not in names:
        other = f'; for --net {given} take the setting {SETTINGS[given]}' if given in SETTINGS else f', not {given}'
        raise UserError(f'this setting trains {" or ".join(names)}{other}')
    return given


def transforms(grayscale: float = 0.05, flip: float = 0.0, flip_crops: float = 0.0) -> dict[str, tfm.Transform]:
    """Of the crops: brightness and normalisation; of whole samples: now and then grey; of both, on demand, mirroring.

    Args:
        grayscale, flip: probabilities for a whole sample.
        flip_crops: for each crop by itself.
    """
    return {'transform': tfm.Transform(tfm.ToTensorAndJitter(0.2), tfm.RandomHorizontalFlip(flip_crops),
                                       tfm.Normalize(mean=MEAN, std=STD)),
            'joint_transform': tfm.Transform(tfm.ToGrayscale(grayscale), tfm.RandomHorizontalFlip(flip))}


def open_loader(settings: Settings, batch: int, make_sampler: Callable[[Sequence[Any]], Any]) -> LTRLoader:
    """Loader of samples stacked to (frames, batch, ...).

    Args:
        settings: flags.
        batch: samples a batch, where `--batch` is not given.
        make_sampler: from the data sets to the sampler.

    Raises:
        UserError: no `--data`, or a folder that cannot be read.
    """
    folders = settings.option('data', [])
    if not folders:
        raise UserError('no training data: give --data DIR, a folder of labelled sequences '
                        '(DIR/<sequence>/img and groundtruth_rect.txt); it may be repeated')
    batch = settings.option('batch', batch)
    if batch < 2:
        raise UserError('--batch must be 2 or more: the IoU network has batch norms over one value a sample')
    return LTRLoader('train', make_sampler([open_dataset(folder) for folder in folders]), training=True,
                     batch_size=batch, shuffle=True, num_workers=settings.option('workers', WORKERS),
                     drop_last=True, stack_dim=1)


def make_network(settings: Settings, network: Callable[..., nn.Module], options: Mapping[str, Any], pretrained: bool,
                 load: Callable[[nn.Module, Any], str] = load_weights) -> nn.Module:
    """The network, with the weights of `--init`, else with a backbone trained on ImageNet.

    Args:
        settings: flags.
        network: constructor.
        options: its arguments.
        pretrained: whether a backbone trained on ImageNet exists.
        load: puts the weights of a file into the network and says what it did.

    Raises:
        UserError: the weights do not fit or cannot be fetched.
    """
    init = settings.option('init', None)
    net = network(backbone_pretrained=pretrained and init is None, **options)
    if init is not None:
        print(load(net, init))
    return net


def fit(trainer: Any, loader: LTRLoader, epochs: int) -> None:
    """Train, or go on training, up to an epoch; then tell of frames that could not be used, also after a failure."""
    try:
        trainer.train(epochs, load_latest=True)
    finally:
        samples: Any = loader.dataset
        if samples.source.bad_frames.summary():
            print(samples.source.bad_frames.summary())
