"""Damaged networks: checkpoints, weights without pickle, and ONNX detectors."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from cmd_plugin.detect.choosing import make_detector
from cmd_plugin.errors import UserError
from ltr.admin import checkpoint, loading, portable
from ltr.admin.model_constructor import NetConstructor
from tests.faults.fuzzing import TALLY, attempt, damaged
from tests.pairs.tiny_onnx import classifier, constant_detector

WEIGHTS = {'conv.weight': torch.arange(3000, dtype=torch.float32) / 7, 'conv.bias': torch.tensor([1.5, -2.0])}
CONTENTS = {'epoch': 3, 'net_type': 'Net', 'net': WEIGHTS, 'net_info': {'recipe': 'd3'},
            'constructor': NetConstructor('dimpnet_small', 'ltr.models.tracking.dimpnet', (), {'filter_size': 4})}


def same_weights(found: dict) -> bool:
    return found.keys() == WEIGHTS.keys() and all(torch.equal(value, found[key]) for key, value in WEIGHTS.items())


def test_damaged_checkpoints(tmp_path):
    """Parts of the file carry checksums: what is read is what was written."""
    path = checkpoint.save(tmp_path / 'Net_ep0003.pth.tar', CONTENTS)
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(80):
        path.write_bytes(damaged(whole, rng))
        found = attempt('checkpoints', lambda: checkpoint.read(path), path)
        assert found is None or (same_weights(found['net']) and found['epoch'] == 3)


def test_every_turned_bit_of_the_weights_is_seen(tmp_path):
    path = checkpoint.save(tmp_path / 'Net_ep0003.pth.tar', CONTENTS)
    whole = path.read_bytes()
    start = whole.find(WEIGHTS['conv.weight'].numpy().tobytes())
    assert start > 0
    for place in range(start, start + 12_000, 700):
        data = bytearray(whole)
        data[place] ^= 1
        path.write_bytes(bytes(data))
        assert attempt('checkpoints', lambda: checkpoint.read(path), path) is None


def test_damaged_checkpoints_of_old_torch(tmp_path):
    """They have no checksums: no trace-back and no wait is all that can be had."""
    path = tmp_path / 'old.pth.tar'
    torch.save(CONTENTS, path, _use_new_zipfile_serialization=False)
    whole = path.read_bytes()
    rng = np.random.default_rng(1)
    for _ in range(40):
        path.write_bytes(damaged(whole, rng))
        found = attempt('checkpoints', lambda: checkpoint.read(path), path)
        assert found is None or isinstance(found, dict)


@pytest.mark.parametrize('contents', [
    {}, {'net': {}}, {'net': 3}, {'net': None, 'constructor': None}, {'net': WEIGHTS}, {'net': {'a': 'text'}},
    {'net': WEIGHTS, 'constructor': {'fun_name': 'os.system'}}, {'net': WEIGHTS, 'constructor': NetConstructor('', '')},
    {'net': WEIGHTS, 'constructor': NetConstructor('dimpnet_small', 'ltr.models.tracking.dimpnet', (1,) * 99)},
    {'net': WEIGHTS, 'constructor': NetConstructor('dimpnet_small', 'ltr.models.tracking.dimpnet', (), {'x': 1})},
    {'net': WEIGHTS, 'constructor': NetConstructor('dimpnet_small', 'ltr.models.tracking.dimpnet', (),
                                                   {'filter_size': 'four'})},
    {'net': WEIGHTS, 'constructor': NetConstructor('system', 'os', ('true',))}])
def test_checkpoints_of_other_contents(tmp_path, contents):
    path = checkpoint.save(tmp_path / 'x.pth.tar', contents)
    assert attempt('checkpoints', lambda: loading.load_network(path), path) is None


def test_damaged_weights_without_pickle(tmp_path):
    path = tmp_path / 'x.safetensors'
    portable.write(path, CONTENTS)
    description = portable.description_of(path)
    whole, said = path.read_bytes(), description.read_bytes()
    assert same_weights(portable.read(path)['net'])
    rng = np.random.default_rng(2)
    for number in range(80):
        path.write_bytes(damaged(whole, rng) if number % 2 else whole)
        description.write_bytes(said if number % 2 else damaged(said, rng))
        found = attempt('safetensors and JSON', lambda: portable.read(path), path, description)
        assert found is None or same_weights(found['net'])
    for _ in range(40):
        path.write_bytes(damaged(whole, rng))
        found = attempt('safetensors and JSON', lambda: portable.read_weights(path), path)
        assert found is None or all(isinstance(value, torch.Tensor) for value in found.values())


@pytest.mark.parametrize('contents', [[], {'net': 1}, {'$tuple': 3}, {'$class': 'Settings'}, {'$class': 'os.system'},
                                      {'$class': 'NetConstructor', 'fun_name': 'x'}, {'$float': 'x'}, {'$pairs': [[1]]},
                                      {'$pairs': [[[], 1]]}, {'$class': []}, {'a': {'$new': 1}}, None, 7])
def test_descriptions_of_other_contents(tmp_path, contents):
    path = tmp_path / 'x.safetensors'
    portable.write(path, CONTENTS)
    description = portable.description_of(path)
    said = json.loads(description.read_text())
    description.write_text(json.dumps({**said, 'contents': {'epoch': contents}}))
    found = attempt('safetensors and JSON', lambda: portable.read(path), description)
    assert found is None or contents in ([], {'net': 1}, {'$class': 'Settings'}, None, 7)
    description.write_text(json.dumps({**said, 'weights': contents}))
    assert attempt('safetensors and JSON', lambda: portable.read(path), description) is None


@pytest.mark.parametrize('count', [6, pytest.param(60, marks=pytest.mark.slow)])
def test_damaged_detectors(tmp_path, count):
    """Those that are still a network give finite boxes, or say that they do not; a crash is seen from outside."""
    output = np.zeros((1, 84, 21), np.float32)
    output[0, :5, 0] = 16, 16, 16, 12, 0.9
    path = tmp_path / 'tiny.onnx'
    image = np.random.default_rng(0).integers(0, 255, (24, 40, 3), dtype=np.uint8)

    def detect():
        return make_detector('yolo', path, None, None)(image, 0.3)
    whole = constant_detector(output, side=32)
    path.write_bytes(whole)
    assert len(detect().boxes) == 1
    rng = np.random.default_rng(3)
    for number in range(count):
        path.write_bytes(damaged(whole if number % 4 else classifier(), rng))
        found = attempt('ONNX detectors', detect, path)
        if found is not None:
            assert np.isfinite(found.boxes).all() and np.isfinite(found.scores).all()
            assert len(found.boxes) == len(found.scores) == len(found.labels)


def test_no_network_at_all(tmp_path):
    for name in ('x.pth.tar', 'x.safetensors'):
        path = tmp_path / name
        with pytest.raises(UserError, match=name):
            loading.read(path)
        path.mkdir()
        attempt('checkpoints', lambda path=path: loading.read(path), path)


def test_enough_cases(capsys):
    assert TALLY.cases('checkpoints') >= 140 and TALLY.cases('safetensors and JSON') >= 140
    assert TALLY.cases('ONNX detectors') >= 6
    with capsys.disabled():
        print('\n' + TALLY.table())
