"""`run_tracker.py` as users start it: in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ltr.admin.signals import sigterm_ends
from pytracking.run_tracker import main, parse_arguments
from pytracking.utils.arguments import calm_waiting
from tests.evaluation.conftest import REPO, box_path, write_frames, write_sequence

SCRIPT = REPO / 'pytracking' / 'run_tracker.py'


def start(*arguments, cwd, **options):
    return subprocess.Popen([sys.executable, str(SCRIPT), *map(str, arguments)], cwd=cwd, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            env={**os.environ, 'OMP_NUM_THREADS': '1'}, **options)


def run(*arguments, cwd):
    process = start(*arguments, cwd=cwd)
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


@pytest.fixture
def data(tmp_path):
    for name in ('a', 'b'):
        write_sequence(tmp_path / 'data' / name, box_path(4))
    return tmp_path / 'data'


def test_script_runs_from_any_folder_and_prints_the_table(data, tmp_path):
    code, out, err = run('dummy', 'moving', '--data', data, '--results', tmp_path / 'r', '--runid', 3,
                         cwd=REPO / 'pytracking')
    assert code == 0, err
    assert 'dummy/moving #3     95.2      100.0        100.0' in out
    assert 'protocol lsotb, 2 sequences, 8 frames' in out
    assert (tmp_path / 'r' / 'dummy' / 'moving_003' / 'b.txt').is_file()


def test_script_names_a_mistake_in_one_line(data, tmp_path):
    code, out, err = run('dummmy', 'default', '--data', data, cwd=tmp_path)
    assert (code, out) == (2, '')
    assert err.startswith("error: unknown tracker 'dummmy': did you mean 'dummy'") and err.count('\n') == 1


def test_a_missing_network_is_one_mistake_not_one_a_sequence(data, tmp_path):
    code, out, err = run('dummy', 'absent', '--data', data, cwd=tmp_path)
    assert (code, out) == (2, '')
    assert err.startswith("error: network 'absent.pth.tar' not found; looked for") and err.count('\n') == 1


def test_nothing_heavy_is_imported():
    code = ('import sys, pytracking.evaluation, pytracking.evaluation.running, pytracking.analysis; '
            'print(sorted(m for m in sys.modules'
            ' if m.split(".")[0] in ("visdom", "matplotlib", "pandas", "scipy")'
            ' or m.startswith("pytracking.tracker.") and not m.startswith("pytracking.tracker.base")))')
    out = subprocess.run([sys.executable, '-c', code], cwd=REPO, capture_output=True, text=True, check=True)
    assert out.stdout.strip() == '[]'


def stop(data, tmp_path, threads, signal_number, group, delay=6):
    """Send a signal amid a run of two short and two long sequences; exit status, stderr and the results."""
    for name in ('c', 'd'):
        write_sequence(data / name, box_path(60))
    process = start('dummy', 'slow', '--data', data, '--results', tmp_path / 'r', '--threads', threads,
                    cwd=REPO, start_new_session=True)
    folder = tmp_path / 'r' / 'dummy' / 'slow'
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and not started(process.pid, folder, threads):
        time.sleep(0.1)
    time.sleep(delay)
    (os.killpg if group else os.kill)(process.pid, signal_number)
    # ends when the last process has closed its end of the pipes; the workers had 25 s of work left
    _, err = process.communicate(timeout=15)
    return process.returncode, err, sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def started(pid, folder, threads):
    """In one process, the short sequences come first; in several, the long ones do, and hold everybody up."""
    if not threads:
        return (folder / 'b.txt').exists()
    children = Path(f'/proc/{pid}/task/{pid}/children')  # where there is none, the delay must do
    return not children.exists() or children.read_text() != ''


LEFT = {0: ['a.txt', 'a_time.txt', 'b.txt', 'b_time.txt'], 2: []}


@pytest.mark.slow
@pytest.mark.skipif(os.name == 'nt', reason='sends SIGINT')
@pytest.mark.parametrize('delay', [3, 6])  # while the workers start, and while they work
@pytest.mark.parametrize('threads', [0, 2])
def test_ctrl_c_stops_cleanly(data, tmp_path, threads, delay):
    code, err, files = stop(data, tmp_path, threads, signal.SIGINT, group=True, delay=delay)  # as a terminal does
    assert code == 130, err
    assert err.rstrip().endswith('stopped') and 'Traceback' not in err
    assert files == LEFT[threads]


@pytest.mark.skipif(not Path('/proc/self/status').exists(), reason='reads /proc')
def test_no_worker_sees_ctrl_c_not_even_the_first():
    """The first process also starts Python's resource tracker, which unblocks signals on its way."""
    code = """if __name__ == '__main__':
        from pathlib import Path
        from pytracking.evaluation.pool import _Worker
        for _ in range(2):
            worker = _Worker(1)
            print(Path(f'/proc/{worker.process.pid}/status').read_text().split('SigBlk:')[1].split()[0])
            worker.process.kill()
            worker.dismiss()"""
    out = subprocess.run([sys.executable, '-c', code], cwd=REPO, capture_output=True, text=True, check=True)
    assert [int(mask, 16) >> signal.SIGINT - 1 & 1 for mask in out.stdout.split()] == [1, 1]


@pytest.mark.slow
@pytest.mark.skipif(os.name == 'nt', reason='sends SIGTERM')
@pytest.mark.parametrize('threads', [0, 2])
def test_sigterm_stops_cleanly(data, tmp_path, threads):
    code, err, files = stop(data, tmp_path, threads, signal.SIGTERM, group=False)
    assert code == 143, err
    assert err.rstrip().endswith('stopped') and 'Traceback' not in err
    assert files == LEFT[threads]


@pytest.mark.slow
@pytest.mark.skipif(os.name == 'nt', reason='sends SIGKILL')
def test_workers_end_with_their_parent(data, tmp_path):
    code, _, files = stop(data, tmp_path, 2, signal.SIGKILL, group=False)  # communicate() waits for the workers
    assert code == -signal.SIGKILL and files == LEFT[2]


# --- the rest needs no process ---

def test_a_failed_sequence_gives_status_1_and_the_table_of_the_others(data, capsys):
    cut = data / 'b' / 'img' / '0002.png'
    cut.write_bytes(b'')
    assert main(['dummy', 'moving', '--data', str(data)]) == 1
    captured = capsys.readouterr()
    assert 'failed: dummy/moving, b:' in captured.err and '0002.png' in captured.err
    assert 'protocol lsotb, 1 sequence, 4 frames' in captured.out


def test_all_failed(data, capsys):
    for name in ('a', 'b'):
        (data / name / 'img' / '0001.png').write_bytes(b'no image')
    assert main(['dummy', 'moving', '--data', str(data)]) == 1
    assert '0 sequences run, 0 were finished before, 2 failed' in capsys.readouterr().out


@pytest.mark.parametrize('which', ['b', '1'])
def test_one_sequence_by_name_or_position(data, capsys, which):
    assert main(['dummy', 'moving', '--data', str(data), '--sequence', which]) == 0
    assert 'dummy/moving, b: 4 frames' in capsys.readouterr().out


def test_first_frames_another_protocol_and_another_set(data, capsys):
    arguments = ['dummy', 'moving', '--dataset', 'thermal', '--data', str(data), '--max-frames', '2']
    assert main(arguments) == 0
    assert 'protocol ptb, 2 sequences, 4 frames' in capsys.readouterr().out
    assert main([*arguments, '--protocol', 'pytracking', '--no-use_visdom']) == 0
    assert 'protocol pytracking' in capsys.readouterr().out


def test_sequences_with_one_box_are_run_and_not_evaluated(data, capsys):
    folder = write_sequence(data / 'c', box_path(4))
    (folder / 'groundtruth_rect.txt').write_text('5 6 8 9\n')
    assert main(['dummy', 'moving', '--data', str(data)]) == 0
    out = capsys.readouterr().out
    assert '3 sequences run' in out and '1 sequences have a box for the first frame only' in out
    assert 'protocol lsotb, 2 sequences' in out


@pytest.mark.parametrize(('arguments', 'message'), [
    (['--dataset', 'foldr'], "unknown data set 'foldr': did you mean 'folder'"),
    (['--sequence', 'aa'], "unknown sequence 'aa': did you mean 'a'"),
    (['--sequence', '2'], 'sequence 2 does not exist: there are 2, counted from 0'),
    (['--protocol', 'lsotp'], "unknown protocol 'lsotp'"),
    (['--max-frames', '0'], '--max-frames must be at least 1'),
    (['--use_visdom', '--visdom_port', '1'], 'no visdom server at 127.0.0.1:1|the live view needs visdom'),
    (['--threads', '2', '--use_visdom'], 'one sequence at a time'),
    (['--threads', '-1'], 'worker processes must not be negative'),
    (['--retries', '-1'], 'retries must not be negative'),
    (['--shard', '3/2'], "'3/2' is not a part"),
    (['--save-video', 'a.mp4'], 'one file for 2 sequences'),
])
def test_mistakes_on_the_command_line(data, arguments, message):
    from ltr.admin.errors import UserError
    with pytest.raises(UserError, match=message):
        main(['dummy', 'moving', '--data', str(data), *arguments])


def test_no_data_and_no_ground_truth(tmp_path):
    from ltr.admin.errors import UserError
    with pytest.raises(UserError, match='give --data DIR'):
        main(['dummy', 'moving'])
    write_frames(tmp_path / 'a' / 'img', ['1.png'])
    with pytest.raises(UserError, match='without a ground truth'):
        main(['dummy', 'moving', '--data', str(tmp_path)])


@pytest.mark.parametrize(('words', 'value'), [
    ([], False), (['--use_visdom'], True), (['--use_visdom', 'False'], False), (['--use_visdom', '1'], True),
    (['--no-use_visdom'], False)])
def test_flags_are_real_booleans(words, value):
    assert parse_arguments(['dummy', 'moving', *words]).use_visdom is value


def test_a_flag_that_is_neither_true_nor_false(capsys):
    with pytest.raises(SystemExit):
        parse_arguments(['dummy', 'moving', '--use_visdom', 'maybe'])
    assert "'maybe' is neither true nor false" in capsys.readouterr().err


def test_waiting_threads_are_calm_unless_the_user_says_otherwise(monkeypatch):
    for name in ('OMP_WAIT_POLICY', 'GOMP_SPINCOUNT', 'KMP_BLOCKTIME'):
        monkeypatch.delenv(name, raising=False)
    environment = {'OMP_WAIT_POLICY': 'ACTIVE'}
    monkeypatch.setattr('pytracking.utils.arguments.os.environ', environment)
    calm_waiting()
    assert environment == {'OMP_WAIT_POLICY': 'ACTIVE'}
    environment.clear()
    calm_waiting()
    assert environment['OMP_WAIT_POLICY'] == 'PASSIVE'


def test_the_command_is_light_until_it_runs():
    """Worker processes import it, and threads wait calmly only when torch comes after `calm_waiting`."""
    code = 'import sys, pytracking.run_tracker; print(sorted({"torch", "cv2", "numpy"} & set(sys.modules)))'
    out = subprocess.run([sys.executable, '-c', code], cwd=REPO, capture_output=True, text=True, check=True)
    assert out.stdout.strip() == '[]'


def test_real_sequences_with_the_dummy(shared_data, capsys):
    assert main(['dummy', 'default', '--data', str(shared_data / 'tir'), '--max-frames', '10']) == 0
    assert 'protocol lsotb, 4 sequences, 40 frames' in capsys.readouterr().out
    assert main(['dummy', 'default', '--data', str(shared_data / 'tir_mot'), '--max-frames', '2']) == 0
    assert 'protocol lsotb, 101 sequences, 202 frames' in capsys.readouterr().out


@pytest.mark.skipif(os.name == 'nt', reason='sends SIGTERM')
def test_sigterm_leaves_by_its_status_whatever_a_library_makes_of_it():
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as left, sigterm_ends():
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(5)
        except SystemExit:
            raise RuntimeError('interrupted') from None
    assert left.value.code == 143 and signal.getsignal(signal.SIGTERM) is before
    with pytest.raises(ValueError, match='own'), sigterm_ends():
        raise ValueError('own')
