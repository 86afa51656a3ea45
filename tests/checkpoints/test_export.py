"""Exported parts compute in another runtime what they compute here: parity is the requirement."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from cmd_plugin import checkpoints, cli
from cmd_plugin.errors import UserError
from cmd_plugin.export import writing
from cmd_plugin.export.parts import parts_of
from ltr.admin import checkpoint
from ltr.models.bbreg.atom import atom_resnet50, atom_small
from ltr.models.tracking.dimpnet import STOCK_OPTIONS, dimpnet18, dimpnet50, klcedimpnet18
from ltr.models.tracking.kldimpnet import PRDIMP_OPTIONS
from tests.checkpoints.conftest import contents_of, random_statistics

NAMES = ('features', 'modulation', 'iou_features', 'iou_predictor')


@pytest.fixture
def onnxruntime() -> Any:
    return pytest.importorskip('onnxruntime', reason="needs pip install 'cmd-tracking[onnx]'")


def exported(folder: Path, net: nn.Module) -> Path:
    path = checkpoint.save(folder / 'net.pth.tar', contents_of(random_statistics(net, 3), net_info=None))
    assert cli.main(['export', str(path), '--out', str(folder / 'onnx')]) == 0
    return folder / 'onnx'


class Runtime:
    """The exported files, as someone runs them who has only them and `export.json`."""

    def __init__(self, onnxruntime: Any, folder: Path) -> None:
        self.said = json.loads((folder / 'export.json').read_text())
        self.sessions = {part['file'].removesuffix('.onnx'): onnxruntime.InferenceSession(
            str(folder / part['file']), providers=['CPUExecutionProvider']) for part in self.said['parts']}
        self.outputs = {part['file'].removesuffix('.onnx'): list(part['outputs']) for part in self.said['parts']}

    def __call__(self, name: str, **inputs: np.ndarray) -> dict[str, np.ndarray]:
        names = self.outputs[name]
        return dict(zip(names, self.sessions[name].run(names, inputs), strict=True))


def track(runtime: Runtime, first: np.ndarray, box: np.ndarray, frame: np.ndarray,
          boxes: np.ndarray) -> tuple[np.ndarray | None, np.ndarray]:
    """Classification features of a frame, and predicted IoU of boxes in it, from images of 0..255."""
    said = runtime.said['image']

    def features(image: np.ndarray) -> dict[str, np.ndarray]:
        mean, std = (np.float32(said[key])[:, None, None] for key in ('mean', 'std'))
        return runtime('features', image=(image / np.float32(255) - mean) / std)
    reference, test = features(first), features(frame)
    code = runtime('modulation', layer2=reference['layer2'], layer3=reference['layer3'], box=box)
    maps = runtime('iou_features', layer2=test['layer2'], layer3=test['layer3'])
    return test.get('classification'), runtime('iou_predictor', **code, **maps, boxes=boxes)['iou']


def track_here(net: Any, first: np.ndarray, box: np.ndarray, frame: np.ndarray,
               boxes: np.ndarray) -> tuple[np.ndarray | None, np.ndarray]:
    """The same by the tracker's own wrapper of the network, in torch."""
    from pytracking.features.net_wrappers import NetWithBackbone
    wrapped = NetWithBackbone(net, use_gpu=False)
    with torch.no_grad():
        reference, test = (wrapped.extract_backbone(torch.from_numpy(image)) for image in (first, frame))
        code = net.bb_regressor.get_modulation(net.get_backbone_bbreg_feat(reference), torch.from_numpy(box))
        maps = net.bb_regressor.get_iou_feat(net.get_backbone_bbreg_feat(test))
        iou = net.bb_regressor.predict_iou(code, maps, torch.from_numpy(boxes)).numpy()
        return net.extract_classification_feat(test).numpy() if hasattr(net, 'classifier') else None, iou


def case(size: int, batch: int, count: int) -> tuple[np.ndarray, ...]:
    """Two images and boxes, some of which leave the crop or have no area."""
    rng = np.random.default_rng(batch)
    images = rng.uniform(0, 255, (2, batch, 3, size, size)).astype(np.float32)
    boxes = size * rng.uniform(0.1, 0.6, (batch, count, 4)).astype(np.float32)
    boxes[0, 0] = (-0.2 * size, 0.7 * size, 0.5 * size, 0.5 * size)
    boxes[0, -1, 2] = 0
    return images[0], boxes[:, 0].copy(), images[1], boxes


def agree(runtime: Runtime, net: nn.Module, size: int, batch: int, count: int) -> None:
    inputs = case(size, batch, count)
    (there, iou_there), (here, iou_here) = track(runtime, *inputs), track_here(net, *inputs)
    assert (there is None) == (here is None)
    if here is not None and there is not None:
        np.testing.assert_allclose(there, here, atol=1e-4 * np.abs(here).max())
    assert iou_here.shape == (batch, count) and np.abs(iou_here).max() > 1e-3
    assert count == 1 or np.ptp(iou_here) > 1e-3  # not trivially equal
    np.testing.assert_allclose(iou_there, iou_here, atol=1e-4 * np.abs(iou_here).max())


def test_parity_of_a_whole_step(tmp_path, onnxruntime, parent_net):
    folder = exported(tmp_path, parent_net)
    runtime = Runtime(onnxruntime, folder)
    assert {path.name for path in folder.iterdir()} == {*(f'{name}.onnx' for name in NAMES), 'export.json'}
    for batch, count in ((1, 1), (1, 10), (3, 4)):
        agree(runtime, parent_net, 144, batch, count)


def test_what_is_said(tmp_path, onnxruntime, parent_net, capsys):
    said = json.loads((exported(tmp_path, parent_net) / 'export.json').read_text())
    assert capsys.readouterr().out.count('differs from torch by') == 4
    assert said['network'] == 'dimpnet_small' and said['image']['size'] == [144, 144]
    assert said['weights_sha256'] == checkpoints.fingerprint(parent_net)
    shapes = {**said['parts'][0]['inputs'], **said['parts'][0]['outputs'], **said['parts'][3]['inputs']}
    assert shapes['image'] == ['batch', 3, 144, 144] and shapes['layer3'] == ['batch', 128, 9, 9]
    assert shapes['classification'] == ['batch', 96, 9, 9] and shapes['boxes'] == ['batch', 'boxes', 4]


def test_atom_has_no_classification_features(tmp_path, onnxruntime):
    net = atom_small()
    runtime = Runtime(onnxruntime, exported(tmp_path, net))
    assert set(runtime.outputs['features']) == {'layer2', 'layer3'}
    agree(runtime, net.eval(), 144, 2, 3)


def test_a_wrong_file_is_not_kept(tmp_path, onnxruntime, parent_net, parent, monkeypatch):
    """The comparison after the export is a real one."""
    def other(part: Any, file: Path) -> None:
        with torch.no_grad():
            changed = parts_of(parent_net, 144)[0]
            bias = changed.module.net.feature_extractor.bn1.bias
            bias += 0.1
            writing_to_onnx(changed, file)
            bias -= 0.1
    writing_to_onnx = writing.to_onnx
    monkeypatch.setattr(writing, 'to_onnx', other)
    with pytest.raises(UserError, match='features: the exported file differs from torch'):
        cli.main(['export', str(parent), '--out', str(tmp_path / 'onnx')])
    assert not list((tmp_path / 'onnx').iterdir())


def test_without_onnxruntime_it_says_so(tmp_path, parent, monkeypatch, capsys):
    pytest.importorskip('onnx', reason="needs pip install 'cmd-tracking[onnx]'")
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, 'find_spec', lambda name, *rest: None if name == 'onnxruntime' else find(name))
    cli.main(['export', str(parent), '--out', str(tmp_path / 'onnx')])
    assert capsys.readouterr().out.count('not compared with torch: onnxruntime is missing') == 4


@pytest.mark.parametrize(('absent', 'named'), [
    (['onnx'], 'onnx'), (['torch.onnx.utils', 'onnxscript', 'onnx'], 'onnx and onnxscript')])
def test_without_what_the_exporter_needs(tmp_path, parent, monkeypatch, absent, named):
    """The second case is a torch without its older exporter."""
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, 'find_spec', lambda name, *rest: None if name in absent else find(name))
    with pytest.raises(UserError, match=f'torch exports with {named}, which is missing: pip install'):
        cli.main(['export', str(parent), '--out', str(tmp_path / 'onnx')])
    assert not list((tmp_path / 'onnx').iterdir())


def test_networks_of_other_kinds(tmp_path, parent):
    with pytest.raises(UserError, match='cannot be exported'):
        parts_of(nn.Linear(2, 2), 144)
    with pytest.raises(UserError, match='cannot write'):
        (tmp_path / 'file').write_text('')
        cli.main(['export', str(parent), '--out', str(tmp_path / 'file')])


@pytest.mark.slow
def test_the_newer_exporter(tmp_path, onnxruntime, parent_net):
    pytest.importorskip('onnxscript', reason="needs pip install 'cmd-tracking[onnx]'")
    for part in parts_of(parent_net, 144):
        writing.to_onnx(part, tmp_path / f'{part.name}.onnx', dynamo=True)
        assert 'differs from torch by' in writing.check(tmp_path / f'{part.name}.onnx', part)


@pytest.mark.slow
@pytest.mark.parametrize(('made', 'options'), [
    (dimpnet18, STOCK_OPTIONS), (dimpnet50, STOCK_OPTIONS), (klcedimpnet18, PRDIMP_OPTIONS), (atom_resnet50, {})])
def test_parity_in_full_size(tmp_path, onnxruntime, made, options):
    net = made(**options, backbone_pretrained=False)
    runtime = Runtime(onnxruntime, exported(tmp_path, net))
    agree(runtime, net.eval(), 288, 1, 10)
    agree(runtime, net.eval(), 288, 2, 3)
