"""Files go both ways between this toolkit and the stock one, and a hostile file runs nothing."""

from __future__ import annotations

import builtins
import importlib
import inspect
import io
import math
import os
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from cmd_plugin import checkpoints, cli
from ltr import load_network
from ltr.admin import checkpoint, portable
from ltr.admin.errors import UserError
from ltr.admin.local import EnvironmentSettings
from ltr.admin.model_constructor import NetConstructor
from ltr.admin.settings import Settings
from ltr.models.bbreg.atom import atom_resnet18
from ltr.models.tracking.dimpnet import dimpnet18, klcedimpnet18
from tests.checkpoints.conftest import contents_of

# Classes that the stock toolkit has under these paths, and what torch's own pickles name.
STOCK = {'ltr.admin.model_constructor.NetConstructor', 'ltr.admin.settings.Settings',
         'ltr.admin.local.EnvironmentSettings', 'ltr.admin.stats.AverageMeter', 'ltr.admin.stats.StatValue'}
PLAIN = {'collections.OrderedDict', 'torch._utils._rebuild_tensor_v2', 'torch.FloatStorage', 'torch.DoubleStorage',
         'torch.LongStorage', 'torch.ByteStorage', 'torch.serialization._get_layout'}
DIMP, ATOM = 'ltr.models.tracking.dimpnet', 'ltr.models.bbreg.atom'
FIRST = {'filter_size': 1, 'optim_iter': 5, 'optim_init_step': 1.0, 'optim_init_reg': 0.01,
         'classification_layer': 'layer3', 'feat_stride': 16, 'backbone_pretrained': True, 'clf_feat_norm': True,
         'init_filter_norm': False, 'final_conv': True, 'iou_input_dim': (256, 256), 'iou_inter_dim': (256, 256),
         'detach_length': math.inf, 'frozen_backbone_layers': ()}
DIMP_WORDS = {**FIRST, 'init_gauss_sigma': 1.0, 'num_dist_bins': 5, 'bin_displacement': 1.0, 'mask_init_factor': 4.0,
              'score_act': 'relu', 'act_param': None, 'target_mask_act': 'sigmoid'}
KL_WORDS = {**FIRST, 'gauss_sigma': 1.0, 'alpha_eps': 0.0, 'train_feature_extractor': True, 'init_uni_weight': None,
            'optim_min_reg': 1e-3, 'init_initializer': 'default', 'normalize_label': False, 'label_shrink': 0,
            'softmax_reg': None, 'label_threshold': 0, 'final_relu': False}
SMALL, LARGE = {'clf_feat_blocks': 1, 'out_feature_dim': 256}, {'clf_feat_blocks': 0, 'out_feature_dim': 512}
ATOM_WORDS = {'iou_input_dim': (256, 256), 'iou_inter_dim': (256, 256), 'backbone_pretrained': True}


@pytest.mark.parametrize(('module', 'name', 'words'), [
    (DIMP, 'dimpnet18', {**DIMP_WORDS, **SMALL}), (DIMP, 'dimpnet50', {**DIMP_WORDS, **LARGE}),
    (DIMP, 'klcedimpnet18', {**KL_WORDS, **SMALL, 'init_pool_square': False}),
    (DIMP, 'klcedimpnet50', {**KL_WORDS, **LARGE}), (ATOM, 'atom_resnet18', ATOM_WORDS),
    (ATOM, 'atom_resnet50', ATOM_WORDS)])
def test_constructors_have_stock_names_and_key_words(module, name, words):
    """So a checkpoint of either toolkit names a function of the other, with arguments that it takes."""
    function = NetConstructor(name, module).function()
    assert (function.__module__, function.__name__) == (module, name)
    assert getattr(importlib.import_module(module), name) is function
    parameters = inspect.signature(function).parameters
    assert {key: value.default for key, value in parameters.items()} == words


def stock_file(path: Path, constructor: NetConstructor, net: torch.nn.Module, monkeypatch: Any, zipped: bool) -> Path:
    """As an old torch wrote it: the settings whole, with their environment and numpy's numbers; no zip file."""
    monkeypatch.setattr(Settings, '__getstate__', lambda self: dict(vars(self)))
    settings = Settings()
    settings.env.__dict__ = {'workspace_dir': '/somewhere', 'lasot_dir': ''}
    settings.sigma, settings.normalize_mean = np.float64(0.25), np.array([0.485, 0.456])
    contents = contents_of(net, constructor=constructor, settings=settings, net_info=None)
    torch.save({key: value for key, value in contents.items() if key != 'rng'}, path,
               _use_new_zipfile_serialization=zipped)
    monkeypatch.undo()
    return path


@pytest.mark.parametrize('zipped', [True, False])
@pytest.mark.parametrize(('made', 'words'), [
    (dimpnet18, {'backbone_pretrained': True, 'filter_size': 4, 'target_mask_act': 'sigmoid', 'init_gauss_sigma': 0.9,
                 'num_dist_bins': 100, 'frozen_backbone_layers': ['conv1', 'bn1']}),
    (klcedimpnet18, {'backbone_pretrained': True, 'filter_size': 4, 'init_initializer': 'zero', 'alpha_eps': 0.05,
                     'normalize_label': True, 'softmax_reg': None, 'train_feature_extractor': True}),
    (atom_resnet18, {'backbone_pretrained': True})])
def test_stock_files_load(tmp_path, monkeypatch, made, words, zipped):
    net = made(**{**words, 'backbone_pretrained': False})
    constructor = NetConstructor(made.__name__, made.__module__, (), words)
    path = stock_file(tmp_path / 'stock.pth.tar', constructor, net, monkeypatch, zipped)
    back, contents = load_network(path)
    assert type(back) is type(net)
    assert all(torch.equal(value, back.state_dict()[key]) for key, value in net.state_dict().items())
    assert isinstance(contents['settings'].env, EnvironmentSettings)
    assert contents['settings'].normalize_mean.tolist() == [0.485, 0.456]


class Recorder(pickle.Unpickler):
    """What a pickle names; tensors are not built."""

    def __init__(self, file: Any) -> None:
        super().__init__(file)
        self.named: set[str] = set()

    def find_class(self, module: str, name: str) -> Any:
        self.named.add(f'{module}.{name}')
        return super().find_class(module, name)

    def persistent_load(self, pid: Any) -> Any:
        return torch.storage.TypedStorage(wrap_storage=torch.UntypedStorage(int(pid[4]) * 8), dtype=torch.float32,
                                          _internal=True)


def named_by(path: Path) -> set[str]:
    with zipfile.ZipFile(path) as archive:
        name = next(name for name in archive.namelist() if name.endswith('/data.pkl'))
        recorder = Recorder(io.BytesIO(archive.read(name)))
    recorder.load()
    return recorder.named


def test_our_files_name_what_stock_has(tmp_path, parent_net, parent):
    """Written by the trainer, by the plugin, and by a conversion."""
    checkpoints.save(tmp_path / 'plugin.pth.tar', parent_net, {'recipe': 'b3'})
    portable.write(tmp_path / 'x.safetensors', contents_of(parent_net))
    assert cli.main(['convert', str(tmp_path / 'x.safetensors'), str(tmp_path / 'converted.pth.tar')]) == 0
    found = {name: named_by(tmp_path / f'{name}.pth.tar') for name in ('a1', 'plugin', 'converted')}
    for name, named in found.items():
        assert named <= STOCK | PLAIN, name
        assert 'ltr.admin.model_constructor.NetConstructor' in named
    assert STOCK - {'ltr.admin.local.EnvironmentSettings'} <= found['a1']


def test_our_files_have_the_keys_of_stock(tmp_path, parent):
    keys = ('epoch', 'actor_type', 'net_type', 'net', 'net_info', 'constructor', 'optimizer', 'stats', 'settings')
    cli.main(['convert', str(parent), str(tmp_path / 'x.safetensors')])
    cli.main(['convert', str(tmp_path / 'x.safetensors'), str(tmp_path / 'back.pth.tar')])
    for path in (parent, tmp_path / 'back.pth.tar'):
        assert set(keys) <= set(checkpoint.read(path))


class Hostile:
    """Calls a function when it is unpickled."""

    def __init__(self, function: Any, *args: Any) -> None:
        self.call = function, args

    def __reduce__(self) -> Any:
        return self.call


def attacks(owned: Path) -> dict[str, Any]:
    return {'system': Hostile(os.system, f'touch {owned}'), 'open': Hostile(builtins.open, str(owned), 'w'),
            'eval': Hostile(builtins.eval, f'open({str(owned)!r}, "w")'),
            'import': Hostile(importlib.import_module, 'this'),
            'path': Hostile(Path.touch, owned), 'numpy': Hostile(np.save, str(owned), np.zeros(1)),
            'getattr': Hostile(getattr, NetConstructor, 'get')}


@pytest.mark.parametrize('command', ['load', 'inspect', 'convert', 'export'])
@pytest.mark.parametrize('name', list(attacks(Path())))
def test_a_hostile_file_runs_nothing(tmp_path, parent_net, name, command):
    owned, path = tmp_path / 'owned', tmp_path / 'hostile.pth.tar'
    contents = OrderedDict(first=attacks(owned)[name], **contents_of(parent_net))
    torch.save(contents, path, _use_new_zipfile_serialization=command != 'inspect')
    target = str(tmp_path / 'x.safetensors')
    run = {'load': lambda: load_network(path), 'inspect': lambda: cli.main(['inspect', str(path)]),
           'convert': lambda: cli.main(['convert', str(path), target]),
           'export': lambda: cli.main(['export', str(path), '--out', str(tmp_path / 'onnx')])}[command]
    with pytest.raises(UserError, match=r'hostile\.pth\.tar: refused, it names') as error:
        run()
    assert '\n' not in str(error.value)
    assert [file.name for file in tmp_path.iterdir() if file.suffix != '.onnx'] == [path.name]


def test_the_attacks_are_real(tmp_path):
    """Else the test above would pass by blindness: a plain unpickler does run them."""
    for name in ('system', 'open', 'eval', 'path'):
        owned = tmp_path / name
        pickle.loads(pickle.dumps(attacks(owned)[name], protocol=2))
        assert owned.exists()
