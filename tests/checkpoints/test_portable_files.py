"""What goes through .safetensors and .json comes back bit for bit, or is named as left out."""

from __future__ import annotations

import json
import math
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ltr import load_network
from ltr.admin import checkpoint, portable
from ltr.admin.errors import UserError
from ltr.admin.loading import load_weights
from ltr.admin.plain import NotPlainError, decode, encode
from ltr.admin.settings import Settings
from ltr.models.tracking.dimpnet import dimpnet_small
from tests.checkpoints.conftest import contents_of

KEYS = st.one_of(st.text(max_size=5), st.integers(), st.booleans(), st.none())
PLAIN = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.lists(inner, max_size=4).map(tuple),
                            st.dictionaries(KEYS, inner, max_size=4)), max_leaves=12)


def same(a: Any, b: Any) -> bool:
    """Equality that tells 1 from True and a list from a tuple; objects by their attributes."""
    if hasattr(a, '__dict__'):
        return type(a) is type(b) and same(vars(a), vars(b))
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return same(list(a), list(b)) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return math.copysign(1, a) == math.copysign(1, b) and a == b if isinstance(a, float) else bool(a == b)


@given(PLAIN)
def test_plain_data_comes_back_as_it_was(value):
    text = json.dumps(encode(value), allow_nan=False)
    assert same(decode(json.loads(text)), value)


def test_what_json_lacks():
    assert math.isnan(decode(encode(math.nan)))
    assert decode(encode({'$class': 'Settings'})) == {'$class': 'Settings'}
    for value in (torch.zeros(1), object(), {1, 2}, [torch.zeros(1)], Path('x')):
        with pytest.raises(NotPlainError):
            encode(value)
    for value in ({'$class': 'system'}, {'$float': '1'}, {'$tuple': 3}, {'$new': 1}, {'$class': 'NetConstructor'},
                  {'$class': ['a']}, {'$pairs': [[[1], 2]]}, {'$tuple': [], 'more': 1}):
        with pytest.raises((ValueError, TypeError)):
            decode(value)


def test_a_checkpoint_comes_back(tmp_path, parent_net):
    contents = contents_of(parent_net)
    contents['net'].update(half=torch.tensor([1.5, -0.0], dtype=torch.float16), empty=torch.zeros(0, 3),
                           view=torch.arange(12.0).reshape(3, 4).t(), scalar=torch.tensor(7), bit=torch.tensor([True]),
                           nan=torch.tensor([math.nan]))
    contents['net']['shared'] = contents['net']['half']
    contents['settings'].image = torch.zeros(2)
    left_out = portable.write(tmp_path / 'x.safetensors', contents)
    assert left_out == ['optimizer', 'settings.image', 'rng']
    back = portable.read(tmp_path / 'x.safetensors')
    assert list(back['net']) == list(contents['net'])
    for name, value in contents['net'].items():
        assert back['net'][name].dtype == value.dtype and back['net'][name].shape == value.shape
        assert back['net'][name].numpy().tobytes() == value.contiguous().numpy().tobytes()
    assert type(back['settings']) is Settings
    assert same({key: item for key, item in vars(back['settings']).items() if key != 'env'},
                {key: item for key, item in vars(contents['settings']).items() if key not in ('env', 'image')})
    for key in ('epoch', 'actor_type', 'net_type', 'net_info', 'constructor'):
        assert same(back[key], contents[key]), key
    meter = back['stats']['train']['Loss/total']
    assert vars(meter) == vars(contents['stats']['train']['Loss/total'])
    assert back['stats']['train']['LR'].history == [2e-8]


def test_the_json_is_for_people_too(tmp_path, parent_net):
    portable.write(tmp_path / 'x.safetensors', contents_of(parent_net))
    said = json.loads((tmp_path / 'x.json').read_text(encoding='utf-8'))
    assert said['contents']['net_info']['recipe'] == 'd3'
    assert said['contents']['constructor'] == {
        '$class': 'NetConstructor', 'fun_name': 'dimpnet_small', 'fun_module': 'ltr.models.tracking.dimpnet',
        'args': {'$tuple': []}, 'kwds': {}}
    assert sorted(path.name for path in tmp_path.iterdir()) == ['x.json', 'x.safetensors']
    modes = {path.stat().st_mode for path in tmp_path.iterdir()}
    assert len(modes) == 1, 'who may read one may read the other'


def test_networks_and_initial_weights_come_from_the_pair(tmp_path, parent_net):
    path = tmp_path / 'x.safetensors'
    portable.write(path, contents_of(parent_net))
    net, contents = load_network(path)
    assert contents['epoch'] == 7 and net.info['recipe'] == 'd3'
    other = dimpnet_small()
    assert 'whole network' in load_weights(other, path)
    for name, value in parent_net.state_dict().items():
        assert torch.equal(value, net.state_dict()[name]) and torch.equal(value, other.state_dict()[name])


def spoil_weights(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def set_in_json(*keys: str, value: Any) -> Any:
    def change(path: Path) -> None:
        said = place = json.loads(path.with_suffix('.json').read_text())
        for key in keys[:-1]:
            place = place[key]
        place[keys[-1]] = value
        path.with_suffix('.json').write_text(json.dumps(said))
    return change


@pytest.mark.parametrize(('damage', 'message'), [
    (lambda path: path.with_suffix('.json').unlink(), r'has no x\.json beside it'),
    (lambda path: path.unlink(), 'no checkpoint found'),
    (spoil_weights, r'damaged, or not the file that x\.json describes'),
    (lambda path: path.write_bytes(path.read_bytes()[:1000]), 'damaged, or not the file'),
    (lambda path: path.with_suffix('.json').write_text('{"a": 1}'), r'x\.json does not describe a network'),
    (lambda path: path.with_suffix('.json').write_text('[1]'), 'does not describe a network'),
    (lambda path: path.with_suffix('.json').write_bytes(b'\xff\xfe{'), 'does not describe a network'),
    (lambda path: path.with_suffix('.json').write_text('[' * 100_000), 'does not describe a network'),
    (set_in_json('version', value=2), 'version 2'),
    (set_in_json('weights', 'tensors', value=['a']), 'holds other tensors'),
    (set_in_json('weights', 'tensors', value=None), 'does not describe a network'),
    (set_in_json('contents', 'settings', value={'$class': 'system'}), "unknown class 'system'"),
    (set_in_json('contents', 'constructor', 'fun_name', value='system'), 'refused to build a network with .*system'),
    (set_in_json('contents', 'constructor', 'fun_module', value='os'), 'refused to build a network with os'),
    (set_in_json('contents', 'constructor', value=None), 'does not say how to build its network'),
    (set_in_json('contents', 'constructor', 'kwds', value={'out_feature_dim': 48}), 'of another network'),
])
def test_bad_pairs(tmp_path, parent_net, damage, message):
    path = tmp_path / 'x.safetensors'
    portable.write(path, contents_of(parent_net))
    damage(path)
    with pytest.raises(UserError, match=message) as error:
        load_network(path)
    assert '\n' not in str(error.value)


def test_what_the_format_cannot_hold(tmp_path):
    with pytest.raises(UserError, match='cannot write'):
        portable.write(tmp_path / 'x.safetensors', {'net': {'a': torch.zeros(1, dtype=torch.complex128)}})
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_no_mixed_pair(tmp_path, parent_net, monkeypatch):
    """Should the second file fail, the first is not taken for what the old second one describes."""
    path = tmp_path / 'x.safetensors'
    portable.write(path, contents_of(parent_net))
    changed = contents_of(parent_net)
    changed['net']['bb_regressor.iou_predictor.bias'] += 1

    def full(*args: Any, **kwargs: Any) -> None:
        raise OSError(28, 'No space left on device')
    monkeypatch.setattr(Path, 'write_text', full)
    with pytest.raises(UserError, match=r'x\.json.*No space left'):
        portable.write(path, changed)
    with pytest.raises(UserError, match='damaged, or not the file'):
        portable.read(path)


def test_bare_weights_are_initial_weights_still(tmp_path, parent_net):
    from safetensors.torch import save_file
    save_file(dict(parent_net.state_dict()), tmp_path / 'bare.safetensors')
    assert 'whole network' in load_weights(dimpnet_small(), tmp_path / 'bare.safetensors')


def test_back_to_the_old_form(tmp_path, parent_net):
    portable.write(tmp_path / 'x.safetensors', contents_of(parent_net))
    path = checkpoint.save(tmp_path / 'y.pth.tar', portable.read(tmp_path / 'x.safetensors'), verify=True)
    assert isinstance(checkpoint.read(path)['net'], OrderedDict)
