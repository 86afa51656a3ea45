"""Checkpoint files are whole or absent, and reading one runs nothing that it contains."""

from __future__ import annotations

import errno
import os
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch

from ltr.admin import checkpoint
from ltr.admin.errors import UserError
from ltr.admin.local import EnvironmentSettings
from ltr.admin.model_constructor import NetConstructor
from ltr.admin.settings import Settings
from ltr.admin.stats import AverageMeter, StatValue


class Attack:
    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / 'Net_ep0001.pth.tar'


def test_round_trip_of_every_allowed_class(file):
    meter, rate = AverageMeter(), StatValue()
    meter.update(2.0, 4)
    rate.update(0.5)
    contents = {'net': OrderedDict(w=torch.arange(3.0)), 'settings': Settings(),
                'stats': {'train': {'a': meter, 'b': rate}},
                'constructor': NetConstructor('f', 'm', (1,), {'k': [2]}),
                'numbers': (np.float64(1.5), np.int64(7), True, None)}
    back = checkpoint.read(checkpoint.save(file, contents, verify=True))
    assert torch.equal(back['net']['w'], torch.arange(3.0))
    assert vars(back['constructor']) == vars(contents['constructor'])
    assert vars(back['stats']['train']['a']) == vars(meter) and back['stats']['train']['b'].history == [0.5]
    assert back['numbers'] == (1.5, 7, True, None)
    assert back['settings'].seed == 0 and back['settings'].device == 'auto'


def test_a_stock_file_with_its_environment_is_read(file, monkeypatch):
    """Stock settings hold the environment object, numpy numbers and whatever the author added."""
    monkeypatch.setattr(Settings, '__getstate__', lambda self: dict(vars(self)))
    settings = Settings()
    settings.env.__dict__ = {'workspace_dir': '/home/someone', 'lasot_dir': ''}
    settings.output_sigma, settings.array_like = np.float64(0.05), np.float32(2)
    torch.save({'settings': settings, 'net_type': 'DiMPnet'}, file)
    back = checkpoint.read(file)['settings']
    assert isinstance(back.env, EnvironmentSettings) and vars(back.env) == vars(settings.env)
    assert (back.output_sigma, back.array_like) == (0.05, 2)


def test_malicious_pickle_is_refused_and_not_run(file, tmp_path):
    torch.save({'net': {}, 'extra': Attack(f'touch {tmp_path / "owned"}')}, file)
    with pytest.raises(UserError, match=r'Net_ep0001.*refused.*system') as error:
        checkpoint.read(file)
    assert not (tmp_path / 'owned').exists()
    assert '\n' not in str(error.value)


@pytest.mark.parametrize('keep', [0, 1, 20, 0.5, 0.95])
def test_truncated_file(file, keep):
    checkpoint.save(file, {'net': {'w': torch.zeros(1000)}})
    data = file.read_bytes()
    file.write_bytes(data[:int(keep * len(data)) if isinstance(keep, float) else keep])
    with pytest.raises(UserError, match=r'Net_ep0001.*truncated or corrupt') as error:
        checkpoint.read(file)
    assert '\n' not in str(error.value)


def test_other_files(file):
    with pytest.raises(UserError, match='no checkpoint file'):
        checkpoint.read(file)
    file.write_text('hello, this is a text file\n')
    with pytest.raises(UserError, match='truncated or corrupt'):
        checkpoint.read(file)
    torch.save([1, 2], file)
    with pytest.raises(UserError, match='holds a list'):
        checkpoint.read(file)


@pytest.mark.parametrize('function', ['replace', 'fsync'])
def test_a_failed_write_leaves_the_old_file_and_nothing_else(file, monkeypatch, function):
    checkpoint.save(file, {'epoch': 1})

    def full(*args):
        raise OSError(errno.ENOSPC, 'No space left on device')
    monkeypatch.setattr(os, function, full)
    with pytest.raises(UserError, match=r'cannot write.*Net_ep0001.*No space left'):
        checkpoint.save(file, {'epoch': 2})
    assert checkpoint.read(file) == {'epoch': 1}
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_a_full_disk_for_real(file):
    """The system refuses to let the file grow, in the middle of torch's own writer."""
    resource = pytest.importorskip('resource')
    checkpoint.save(file, {'epoch': 1})
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(UserError, match=r'cannot write.*Net_ep0001'):
            checkpoint.save(file, {'net': torch.zeros(200_000)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert checkpoint.read(file) == {'epoch': 1}
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_what_could_not_be_read_back_is_not_put_in_place(file):
    checkpoint.save(file, {'epoch': 1})
    with pytest.raises(UserError, match='Path'):
        checkpoint.save(file, {'epoch': 2, 'where': Path('x')}, verify=True)
    assert checkpoint.read(file) == {'epoch': 1}
    assert len(list(file.parent.iterdir())) == 1


def test_newest(tmp_path):
    for name in ('A_ep0002.pth.tar', 'A_ep0010.pth.tar', 'B_ep0003.pth.tar', '.A_ep0011.pth.tar.tmp'):
        (tmp_path / name).touch()
    assert checkpoint.newest(tmp_path).name == 'A_ep0010.pth.tar'
    assert checkpoint.newest(tmp_path, 'B').name == 'B_ep0003.pth.tar'
    assert checkpoint.newest(tmp_path, 'A', 2).name == 'A_ep0002.pth.tar'
    assert checkpoint.newest(tmp_path, number=7) is None


def test_a_programming_error_is_not_called_a_full_disk(file):
    with pytest.raises((TypeError, AttributeError, Exception)) as error:
        checkpoint.save(file, {'f': lambda: 0})
    assert not isinstance(error.value, UserError)
    assert list(file.parent.iterdir()) == []
