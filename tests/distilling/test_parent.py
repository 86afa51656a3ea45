"""Files given with `--init`: a checkpoint of the tracker's own kind, or the weights of a backbone."""

from __future__ import annotations

import pytest
import torch

from cmd_plugin import networks
from cmd_plugin.errors import UserError
from tests.distilling.conftest import State, network_file


def test_init_that_does_not_fit(tmp_path, monkeypatch):
    path = network_file(tmp_path)
    with pytest.raises(UserError, match='holds a dimpnet_small, not the network --net dimp18'):
        networks.load_parent(path, 'dimp18')
    with pytest.raises(UserError, match="unknown network 'dimp34'"):
        networks.load_parent(path, 'dimp34')
    with pytest.raises(UserError, match=r'--init: no file .*absent\.pth\.tar'):
        networks.load_parent(tmp_path / 'absent.pth.tar', None)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(UserError, match='truncated or corrupt'):
        networks.load_parent(path, None)


@pytest.fixture(scope='module')
def backbone18() -> State:
    backbone = networks.new_network('dimp18').feature_extractor
    return {key: value.clone() for key, value in backbone.state_dict().items()
            if not key.startswith(('layer4.', 'fc.')) and not key.endswith('num_batches_tracked')}


def test_a_backbone_file_goes_into_a_new_network(tmp_path, backbone18, capsys):
    from safetensors.torch import save_file
    save_file(backbone18, tmp_path / 'r18.safetensors')
    net = networks.load_parent(tmp_path / 'r18.safetensors', 'dimp18')
    loaded = net.feature_extractor.state_dict()
    assert all(torch.equal(value, loaded[key]) for key, value in backbone18.items())
    assert 'the heads start from random weights' in capsys.readouterr().out
    assert net.constructor.fun_name == 'dimpnet18'


@pytest.mark.parametrize('fault', ['shape', 'missing', 'unexpected', 'cut', 'text'])
def test_a_backbone_file_of_another_network_is_refused(tmp_path, backbone18, fault):
    from safetensors.torch import save_file
    path = tmp_path / 'weights.safetensors'
    tensors, message = dict(backbone18), 'of another backbone: 1 tensors differ, first'
    if fault == 'shape':
        tensors['layer3.1.conv2.weight'] = torch.zeros(256, 1024, 1, 1)
    if fault == 'missing':
        del tensors['layer3.1.conv2.weight']
    if fault == 'unexpected':
        tensors['layer3.1.conv3.weight'] = torch.zeros(2)
    save_file(tensors, path)
    if fault in ('cut', 'text'):
        path.write_bytes(path.read_bytes()[:100_000] if fault == 'cut' else b'no weights at all')
        message = 'cannot read the weights'
    with pytest.raises(UserError, match=message) as caught:
        networks.load_parent(path, 'dimp18')
    assert str(path) in str(caught.value) and '\n' not in str(caught.value)
