"""On a toolkit that calls whatever a checkpoint names, the plugin looks first."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cmd_plugin.errors import UserError
from cmd_plugin.upstream import reading
from ltr.admin.model_constructor import NetConstructor
from tests.upstream.test_mends import Planted


def contents_of(path):
    return torch.load(path, weights_only=False)


def test_a_good_one(small_network):
    net, contents = reading.load(small_network)
    wanted = contents_of(small_network)['net']
    assert all(torch.equal(value, wanted[key]) for key, value in net.state_dict().items())
    assert net.constructor.fun_name == 'dimpnet_small' and set(contents) >= {'net', 'net_info', 'constructor'}


def test_our_toolkit_is_trusted_with_its_own_reader():
    assert reading.reads_safely()


def changed(path, source, **values):
    torch.save({**contents_of(source), **values}, path)
    return path


@pytest.mark.parametrize(('values', 'message'), [
    ({'constructor': NetConstructor('system', 'os', ('touch planted',))}, 'refused to build a network with os.system'),
    ({'constructor': NetConstructor('dimpnet18', 'elsewhere')}, 'refused to build a network with elsewhere.dimpnet18'),
    ({'constructor': NetConstructor('dimpnet_small', 'ltr.models.tracking.dimpnet', (), {'odd': 1})}, 'do not fit'),
    ({'constructor': None}, 'does not say how to build its network'),
    ({'net': {'x': torch.zeros(1)}}, 'is of another network than dimpnet_small')])
def test_what_is_refused(small_network, tmp_path, monkeypatch, values, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=message):
        reading.load(changed(tmp_path / 'x.pth.tar', small_network, **values))
    assert [path.name for path in tmp_path.iterdir()] == ['x.pth.tar']


def test_a_pickle_that_would_write_a_file(small_network, tmp_path):
    path = changed(tmp_path / 'x.pth.tar', small_network, stats=Planted(tmp_path / 'planted'))
    with pytest.raises(UserError, match='refused, it names'):
        reading.load(path)
    assert not (tmp_path / 'planted').exists()


def test_a_truncated_one(small_network, tmp_path):
    (tmp_path / 'x.pth.tar').write_bytes(small_network.read_bytes()[:5000])
    with pytest.raises(UserError, match='truncated or corrupt'):
        reading.load(tmp_path / 'x.pth.tar')


def test_numbers_of_numpy_are_data(small_network, tmp_path):
    path = changed(tmp_path / 'x.pth.tar', small_network, stats={'loss': np.float64(1.5), 'n': np.float32(2)})
    assert reading.load(path)[1]['stats']['loss'] == 1.5
