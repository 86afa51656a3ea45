"""Disks that are full, folders that are closed or vanish: one line names the file and the cure, nothing is lost."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ltr import run_training
from ltr.admin import checkpoint
from ltr.admin.errors import UserError, cli
from pytracking import run_tracker
from pytracking.evaluation import Tracker, get_dataset
from pytracking.evaluation import running as running_module
from pytracking.evaluation.running import run_dataset
from tests.evaluation.conftest import box_path, write_sequence

pytestmark = pytest.mark.skipif(os.name == 'nt', reason='limits and mounts of Linux')
if os.name != 'nt':
    from tests.faults.runs import files_of_at_most, make_trainer, settings_in


@pytest.fixture(autouse=True)
def environment(monkeypatch, tmp_path):
    monkeypatch.setenv('PYTRACKING_PLUGINS', 'tests=tests.evaluation.dummy_plugin,tiny=tiny_training')
    monkeypatch.setenv('PYTRACKING_WORKSPACE_DIR', str(tmp_path / 'workspace'))


@pytest.fixture
def data(tmp_path) -> Path:
    for name in ('a', 'b', 'c'):
        write_sequence(tmp_path / 'data' / name, box_path(4))
    return tmp_path / 'data'


def train(place: Path, epochs: int) -> list[str]:
    return ['tiny', 'plain', '--epochs', str(epochs), '--workspace', str(place)]


def track(data: Path, place: Path, *more: str) -> list[str]:
    return ['dummy', 'noisy', '--data', str(data), '--results', str(place), *more]


def told(main: Callable[[list[str]], int], arguments: list[str], capsys, status: int = 2) -> str:
    """The one line of a command that fails by a user's mistake."""
    with pytest.raises(SystemExit) as left:
        cli(lambda: main(arguments))
    err = capsys.readouterr().err
    lines = [line for line in err.splitlines() if line.startswith('error: ')]
    assert left.value.code == status and len(lines) == 1 and 'Traceback' not in err, err
    return lines[0]


def checkpoints(place: Path) -> list[str]:
    return sorted(path.name for path in (place / 'checkpoints' / 'ltr' / 'tiny' / 'plain').iterdir())


def last_good(place: Path, epoch: int) -> None:
    """The newest checkpoint is that of `epoch`, it can be read, and nothing else lies beside it."""
    names = checkpoints(place)
    assert names == [f'TinyNet_ep{number:04d}.pth.tar' for number in range(1, epoch + 1)]
    path = place / 'checkpoints' / 'ltr' / 'tiny' / 'plain' / names[-1]
    assert checkpoint.read(path)['epoch'] == epoch


# --- full ---

@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    """A disk of 256 kB."""
    place = tmp_path / 'disk'
    place.mkdir()
    mount = shutil.which('mount')
    if mount is None or subprocess.run([mount, '-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', str(place)],
                                       capture_output=True).returncode:
        pytest.skip('a small disk cannot be mounted here (that takes root and Linux)')
    yield place
    subprocess.run(['umount', str(place)], check=True)


def fill(disk: Path, free: int) -> Path:
    """Leave so many bytes of a disk."""
    ballast = disk / 'ballast'
    with ballast.open('wb', buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass
    os.truncate(ballast, ballast.stat().st_size // 4096 * 4096 - free)
    return ballast


def test_training_where_files_cannot_grow(tmp_path, capsys):
    run_training.main(train(tmp_path, 2))
    with files_of_at_most(4096):
        line = told(run_training.main, train(tmp_path, 4), capsys)
    assert 'TinyNet_ep0003.pth.tar: File too large; make room or choose another folder' in line
    last_good(tmp_path, 2)
    run_training.main(train(tmp_path, 4))
    last_good(tmp_path, 4)


def test_training_on_a_full_disk(small_disk, capsys, monkeypatch):
    monkeypatch.setattr('ltr.trainers.ltr_trainer.LTRTrainer._write_tensorboard', lambda *_: None)
    run_training.main(train(small_disk, 2))
    ballast = fill(small_disk, 8192)
    line = told(run_training.main, train(small_disk, 4), capsys)
    assert 'TinyNet_ep0003.pth.tar: No space left on device; make room' in line
    last_good(small_disk, 2)
    ballast.unlink()
    run_training.main(train(small_disk, 3))
    last_good(small_disk, 3)


@pytest.mark.parametrize('how', ['limit', 'disk'])
def test_tracking_on_a_full_disk(data, tmp_path, capsys, how, request):
    """The run ends at the first result that cannot be written; results from before stay."""
    place = request.getfixturevalue('small_disk') if how == 'disk' else tmp_path / 'results'
    assert run_tracker.main(track(data, place, '--sequence', 'a')) == 0
    before = {path.name: path.read_bytes() for path in (place / 'dummy' / 'noisy').iterdir()}
    assert sorted(before) == ['a.txt', 'a_time.txt']
    if how == 'disk':
        ballast = fill(place, 0)
        line = told(run_tracker.main, track(data, place), capsys)
        ballast.unlink()
    else:
        with files_of_at_most(20), pytest.raises(UserError) as caught:  # not the command, whose output is a file, too
            run_dataset(get_dataset('folder', root=data), [Tracker('dummy', 'noisy', results_path=place)])
        line = str(caught.value)
    assert 'b_time.txt: ' in line and 'make room or choose another folder' in line
    assert {path.name: path.read_bytes() for path in (place / 'dummy' / 'noisy').iterdir()} == before
    assert run_tracker.main(track(data, place)) == 0
    assert '2 sequences run, 1 were finished before, 0 failed' in capsys.readouterr().out


# --- closed ---

@pytest.fixture(params=['a file in the way', 'permissions', 'immutable'])
def closed(request, tmp_path) -> Iterator[Path]:
    """A folder into which nothing can be written, in ways of which one holds for any user."""
    place = tmp_path / 'closed'
    if request.param == 'a file in the way':
        place.write_text('')
        yield place
        return
    place.mkdir()
    if request.param == 'permissions':
        if os.geteuid() == 0:
            pytest.skip('permissions do not hold root back')
        place.chmod(0o555)
        yield place
        place.chmod(0o755)
        return
    chattr = shutil.which('chattr')
    if chattr is None or subprocess.run([chattr, '+i', str(place)], capture_output=True).returncode:
        pytest.skip('folders cannot be made immutable here (that takes root, chattr and a file system that knows it)')
    yield place
    subprocess.run([chattr, '-i', str(place)], check=True)


def test_a_closed_folder_is_told_before_the_work(closed, data, capsys, monkeypatch):
    monkeypatch.setattr('ltr.trainers.ltr_trainer.LTRTrainer.train_epoch', lambda *_: pytest.fail('too late'))
    monkeypatch.setattr(Tracker, 'new_tracker', lambda *_, **__: pytest.fail('too late'))
    line = told(run_training.main, train(closed, 1), capsys)
    assert f'cannot write into {closed}' in line and line.endswith('choose another --workspace')
    line = told(run_tracker.main, track(data, closed), capsys)
    assert f'cannot write into {closed}' in line and line.endswith('choose another --results')


# --- gone ---

@pytest.mark.parametrize('leave', ['nothing', 'an empty folder'])
def test_a_checkpoint_folder_that_vanishes(tmp_path, leave):
    """As when a network disk is lost: its mount point stays, empty, and must not be written into."""
    def lose(actor, loss):
        folder.rename(tmp_path / 'elsewhere')
        if leave == 'an empty folder':
            folder.mkdir()
        return loss
    trainer = make_trainer(settings_in(tmp_path), {(3, 2): lose})
    folder = trainer.checkpoint_dir
    with pytest.raises(UserError, match=r'epoch 3 cannot be saved: .*plain.* has gone during the run; put it back'):
        trainer.train(5)
    assert not folder.exists() or not list(folder.iterdir())
    if folder.exists():
        folder.rmdir()
    (tmp_path / 'elsewhere').rename(folder)
    last_good(tmp_path, 2)
    make_trainer(settings_in(tmp_path)).train(5, load_latest=True)
    last_good(tmp_path, 5)


def test_a_results_folder_that_vanishes(data, tmp_path, capsys, monkeypatch):
    place = tmp_path / 'results' / 'dummy' / 'noisy'
    write = running_module.write_results

    def write_and_lose(*given):
        write(*given)
        place.rename(tmp_path / 'elsewhere')
    monkeypatch.setattr(running_module, 'write_results', write_and_lose)
    line = told(run_tracker.main, track(data, tmp_path / 'results'), capsys)
    assert f'cannot write the result of b: {place} has gone during the run; put it back' in line
    monkeypatch.undo()
    monkeypatch.setenv('PYTRACKING_PLUGINS', 'tests=tests.evaluation.dummy_plugin')
    (tmp_path / 'elsewhere').rename(place)
    assert run_tracker.main(track(data, tmp_path / 'results')) == 0
    assert '2 sequences run, 1 were finished before' in capsys.readouterr().out


def test_a_network_that_vanishes(data, tmp_path, capsys, monkeypatch):
    """Finished sequences stay, the others fail in one line each, and the same command goes on when it is back."""
    network = tmp_path / 'net.pth.tar'
    network.write_text('a network')
    monkeypatch.setenv('DUMMY_NET', str(network))
    write = running_module.write_results

    def write_and_lose(*given):
        write(*given)
        network.rename(tmp_path / 'elsewhere')
    monkeypatch.setattr(running_module, 'write_results', write_and_lose)
    command = ['dummy', 'networked', '--data', str(data), '--results', str(tmp_path / 'r'), '--retries', '0']
    assert run_tracker.main(command) == 1
    failed = [line for line in capsys.readouterr().err.splitlines() if line.startswith('failed: ')]
    assert len(failed) == 2 and all(f'{network} has gone during the run: put it back' in line for line in failed)
    monkeypatch.setattr(running_module, 'write_results', write)
    (tmp_path / 'elsewhere').rename(network)
    assert run_tracker.main(command) == 0
    assert '2 sequences run, 1 were finished before' in capsys.readouterr().out
