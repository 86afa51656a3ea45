"""Settings, paths of the machine, and the choice of device."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ltr.admin.device import pick_device
from ltr.admin.environment import env_settings
from ltr.admin.errors import UserError
from ltr.admin.settings import Settings
from ltr.admin.stats import AverageMeter


def test_settings_pickle_to_plain_data():
    settings = Settings()
    settings.data, settings.mean, settings.nested = [Path('a')], (0.5, 1), {'x': [1, {'y': None}]}
    settings.network, settings.mixed, settings.keyed = torch.nn.Linear(1, 1), [1, object()], {object(): 1}
    back = pickle.loads(pickle.dumps(settings))
    assert (back.data, back.mean, back.nested) == (['a'], (0.5, 1), {'x': [1, {'y': None}]})
    assert not {'env', 'network', 'mixed', 'keyed'} & set(vars(back))
    assert settings.mixed[0] == 1  # the object itself keeps everything


plain = st.recursive(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
                     lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))


@given(plain)
def test_plain_values_survive(value):
    settings = Settings()
    settings.value = value
    assert pickle.loads(pickle.dumps(settings)).value == value


def test_options():
    settings = Settings()
    assert settings.option('epochs', 50) == 50 and settings.option('never_heard_of', 1) == 1
    settings.epochs, settings.samples = 3, 0
    assert settings.option('epochs', 50) == 3 and settings.option('samples', 5) == 0
    with pytest.raises(AttributeError, match='batch_sise'):
        settings.batch_sise  # noqa: B018


def test_changes_that_make_another_run():
    saved, now = Settings(), Settings()
    saved.mix, saved.teacher, saved.teacher_sha256, saved.net, saved.epochs = 'batch', 'a.pth', '01ab', 'dimp18', 5
    now.mix, now.teacher, now.teacher_sha256, now.net, now.epochs = 'spatial', 'b.pth', '02cd', 'dimp50', 9
    saved = pickle.loads(pickle.dumps(saved))
    assert now.changes_since(saved) == ['net dimp18 -> dimp50', 'mix batch -> spatial', 'teacher a.pth -> b.pth',
                                        'teacher_sha256 01ab -> 02cd']
    assert saved.changes_since(saved) == Settings().changes_since(Settings()) == []


def test_environment_variables(monkeypatch, tmp_path):
    monkeypatch.delenv('PYTRACKING_WORKSPACE_DIR')
    monkeypatch.chdir(tmp_path)
    assert env_settings().workspace_dir == tmp_path / 'workspace' and env_settings().lasot_dir is None
    monkeypatch.setenv('PYTRACKING_WORKSPACE_DIR', str(tmp_path / 'w'))
    monkeypatch.setenv('PYTRACKING_LASOT_DIR', '~/lasot')
    env = env_settings()
    assert env.workspace_dir == tmp_path / 'w' and env.tensorboard_dir == tmp_path / 'w' / 'tensorboard'
    assert env.lasot_dir == Path.home() / 'lasot'
    monkeypatch.setenv('PYTRACKING_TENSORBOARD_DIR', str(tmp_path / 't'))
    assert env_settings().tensorboard_dir == tmp_path / 't'


def test_devices(monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: 0)
    monkeypatch.setattr(torch.backends.mps, 'is_available', lambda: False)
    assert pick_device() == pick_device(None) == pick_device('cpu') == torch.device('cpu')
    for name in ('cuda', 'cuda:1', 'mps'):
        with pytest.raises(UserError, match=f"'{name}' is not available here: use auto, cpu"):
            pick_device(name)
    with pytest.raises(UserError, match="unknown device 'gpu'"):
        pick_device('gpu')
    monkeypatch.setattr(torch.backends.mps, 'is_available', lambda: True)
    assert pick_device() == torch.device('mps')
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: 2)
    assert pick_device() == torch.device('cuda') and pick_device('cuda:1').index == 1
    with pytest.raises(UserError, match='cuda:2'):
        pick_device('cuda:2')


def test_average_meter():
    meter = AverageMeter()
    meter.update(1.0, 1)
    meter.update(4.0, 2)
    assert (meter.val, meter.avg, meter.count) == (4.0, 3.0, 3)
    meter.new_epoch()
    meter.new_epoch()  # an epoch without data leaves no point
    assert meter.history == [3.0] and meter.count == 0 and not meter.has_new_data
