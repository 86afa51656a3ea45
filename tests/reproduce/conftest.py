"""A data folder in the layout of the real one, generated: small, and without any meaning."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from cmd_plugin import checkpoints
from cmd_plugin.reproduce.places import Data, Work
from cmd_plugin.reproduce.sizes import SIZES, Size
from cmd_plugin.world import write_pairs, write_video
from ltr.data.image_loader import read_image
from ltr.models.backbone.resnet import resnet_small
from tests.distilling.conftest import small_net
from tests.pairs.tiny_onnx import constant_detector

TEST = SIZES['test']


@pytest.fixture(autouse=True)
def clean(monkeypatch):
    for name in list(os.environ):
        if name.startswith(('CMD_', 'PYTRACKING_')) and name != 'CMD_SHARED_DATA':
            monkeypatch.delenv(name)


@pytest.fixture(scope='session')
def data(tmp_path_factory: pytest.TempPathFactory) -> Data:
    root = tmp_path_factory.mktemp('data')
    raw = root / 'raw'
    video(raw, root / 'rgb', 'rgb', ['bag', 'David', 'otb_jogging1', 'otb_jogging2'], 12)
    video(raw, root / 'tir', 'tir', ['horse', 'uav_1'], 44)
    mot(root / 'tir' / 'horse', root / 'tir_mot' / 'camel_1')
    stills(root / 'rgb' / 'bag', root / 'rgb_stills')
    write_pairs(root / 'pairs' / 'roadscene', seed=1, pairs=4, progress=False)
    write_pairs(root / 'pairs' / 'm3svd', seed=2, pairs=12, per_scene=4, progress=False)
    (root / 'weights').mkdir()
    torch.manual_seed(0)
    save_file({key: value for key, value in resnet_small().state_dict().items() if value.dtype.is_floating_point},
              root / 'weights' / 'resnet18_imagenet_to_layer3.safetensors')
    (root / 'weights' / 'yolox_nano_coco.onnx').write_bytes(detector())
    shutil.rmtree(raw)
    return Data(root)


def video(raw: Path, root: Path, modality: str, names: list[str], length: int) -> None:
    made = write_video(raw / modality, modality, sequences=len(names), length=length, progress=False)
    for folder, name in zip(sorted(path for path in made.iterdir() if path.is_dir()), names, strict=True):
        shutil.move(folder, root / name)


def mot(source: Path, target: Path) -> None:
    """A MOT video of 62 frames with a person and a car, of one sequence forth and back."""
    (target / 'img').mkdir(parents=True)
    (target / 'gt').mkdir()
    frames = sorted((source / 'img').iterdir())
    boxes = np.loadtxt(source / 'groundtruth_rect.txt', delimiter=',')
    order = [*range(len(frames)), *reversed(range(len(frames)))][:62]
    lines = []
    for number, place in enumerate(order, 1):
        shutil.copy(frames[place], target / 'img' / f'{number:06d}.jpg')
        x, y, w, h = np.maximum(boxes[place], 1)
        rest = f'{y:.2f},{w:.2f},{h:.2f},1'
        lines += [f'{number},1,{x:.2f},{rest},1,1', f'{number},2,{x + 3:.2f},{rest},3,1']
    (target / 'gt' / 'gt.txt').write_text('\n'.join(lines) + '\n')


def stills(source: Path, target: Path) -> None:
    (target / 'img').mkdir(parents=True)
    boxes = np.loadtxt(source / 'groundtruth_rect.txt', delimiter=',')
    images, annotations = [], []
    for number, path in enumerate(sorted((source / 'img').iterdir())[:3]):
        shutil.copy(path, target / 'img' / path.name)
        height, width = read_image(path).shape[:2]
        images.append({'id': number, 'file_name': path.name, 'width': width, 'height': height})
        annotations.append({'id': number, 'image_id': number, 'bbox': boxes[number].tolist(), 'category_id': 1})
    (target / 'annotations.json').write_text(json.dumps({
        'images': images, 'annotations': annotations, 'categories': [{'id': 1, 'name': 'thing'}]}))


def detector() -> bytes:
    """One confident person in the middle of every image (YOLOv8's form, 64 px)."""
    output = np.zeros((1, 6, 84), np.float32)
    output[0, :, 40] = (32, 32, 16, 16, 0.9, 0.0)
    return constant_detector(output, metadata={'names': "{0: 'person', 1: 'car'}"})


@pytest.fixture
def work(tmp_path: Path) -> Work:
    return Work(tmp_path / 'work')


@pytest.fixture
def parent(work: Work) -> Work:
    """A workspace with a parent of random weights."""
    checkpoints.save(work.parent, small_net(), {'recipe': 'parent', 'crop_size': TEST.crop})
    return work


@pytest.fixture
def size() -> Size:
    return TEST
