"""Downloads from a server on this machine: gone on with, checked, and never taken unchecked."""

from __future__ import annotations

import hashlib
import http.server
import re
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cmd_plugin import cli
from cmd_plugin.download import fetching
from cmd_plugin.download.registry import Entry, entries
from cmd_plugin.errors import UserError

DATA = bytes(range(256)) * 5000
DIGEST = hashlib.sha256(DATA).hexdigest()


class Server(http.server.ThreadingHTTPServer):
    """Serves `data` as `/files/dimp50.pth.tar`; remembers which byte each request began at."""

    def __init__(self) -> None:
        super().__init__(('127.0.0.1', 0), Handler)
        self.data, self.cut, self.ranges, self.begun = DATA, len(DATA), True, list[int]()
        self.address = f'http://127.0.0.1:{self.server_address[1]}/files'


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        server: Any = self.server
        if self.path != '/files/dimp50.pth.tar':
            return self.send_error(404)
        begin = int((re.match(r'bytes=(\d+)-', self.headers.get('Range', '')) or [0, 0])[1]) if server.ranges else 0
        server.begun.append(begin)
        if begin and begin >= len(server.data):
            return self.send_error(416)
        self.send_response(206 if begin else 200)
        self.send_header('Content-Length', str(len(server.data) - begin))
        if begin:
            self.send_header('Content-Range', f'bytes {begin}-{len(server.data) - 1}/{len(server.data)}')
        self.end_headers()
        self.wfile.write(server.data[begin:server.cut])

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={'poll_interval': 0.01}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv('no_proxy', '127.0.0.1')
    monkeypatch.delenv('CMD_MIRRORS', raising=False)
    monkeypatch.setenv('PYTRACKING_WORKSPACE_DIR', str(tmp_path / 'workspace'))


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / 'workspace' / 'networks' / 'dimp50.pth.tar'


def download(*words: str, sha256: str = DIGEST) -> None:
    assert cli.main(['download', 'dimp50', '--sha256', sha256, *words]) == 0


def part_of(target: Path) -> Path:
    return target.with_name('dimp50.pth.tar.part')


def test_by_name_from_a_mirror(server, target, monkeypatch, capsys):
    download('--mirror', server.address)
    assert target.read_bytes() == DATA and not part_of(target).exists()
    download('--mirror', server.address)
    assert 'there already' in capsys.readouterr().out and server.begun == [0]
    target.unlink()
    monkeypatch.setenv('CMD_MIRRORS', f'http://127.0.0.1:1/no {server.address}/')
    download()
    assert target.read_bytes() == DATA
    assert 'notice: cannot reach 127.0.0.1:1' in capsys.readouterr().out


def test_an_address_of_its_own_and_a_folder(server, tmp_path):
    download('--url', f'{server.address}/dimp50.pth.tar', '--out', str(tmp_path / 'there'), sha256=DIGEST.upper())
    assert (tmp_path / 'there' / 'dimp50.pth.tar').read_bytes() == DATA


def test_a_broken_download_is_kept_and_gone_on_with(server, target):
    server.cut = 1_000_000
    with pytest.raises(UserError, match=r'broke off at 1000000 of 1280000.*1000000 bytes are kept.*goes on') as error:
        download('--mirror', server.address)
    assert '\n' not in str(error.value)
    assert part_of(target).stat().st_size == 1_000_000 and not target.exists()
    server.cut = len(DATA)
    download('--mirror', server.address)
    assert server.begun == [0, 1_000_000] and target.read_bytes() == DATA and not part_of(target).exists()


def test_a_server_that_cannot_go_on_begins_anew(server, target):
    server.ranges = False
    part_of(target).parent.mkdir(parents=True)
    part_of(target).write_bytes(DATA[:1000])
    download('--mirror', server.address)
    assert target.read_bytes() == DATA


def test_a_part_that_was_whole_already(server, target):
    part_of(target).parent.mkdir(parents=True)
    part_of(target).write_bytes(DATA)
    download('--mirror', server.address)
    assert target.read_bytes() == DATA and server.begun == [len(DATA)]


@pytest.mark.parametrize('left', [b'', b'something else', DATA + b'more'])
def test_a_wrong_hash_is_refused_and_removed(server, target, left):
    """Whether the server has another file, or the part was another file's."""
    if left:
        part_of(target).parent.mkdir(parents=True)
        part_of(target).write_bytes(left)
    else:
        server.data = DATA[:-1] + b'x'
    with pytest.raises(UserError, match=r'wrong SHA-256, which is removed') as error:
        download('--mirror', server.address)
    assert '\n' not in str(error.value) and 'are kept' not in str(error.value)
    assert list(target.parent.iterdir()) == []
    server.data = DATA
    download('--mirror', server.address)
    assert target.read_bytes() == DATA


def test_the_next_mirror_goes_on_where_the_first_broke_off(server, target):
    other = Server()
    threading.Thread(target=other.serve_forever, kwargs={'poll_interval': 0.01}, daemon=True).start()
    server.cut = 300_000
    download('--mirror', server.address, '--mirror', other.address)
    other.shutdown()
    other.server_close()
    assert target.read_bytes() == DATA and other.begun == [300_000]


def test_another_file_is_not_overwritten(server, target):
    target.parent.mkdir(parents=True)
    target.write_bytes(b'mine')
    with pytest.raises(UserError, match='there already, with another SHA-256'):
        download('--mirror', server.address)
    assert target.read_bytes() == b'mine'


def test_nothing_is_taken_unchecked(server, tmp_path):
    for words, message in (
            (['dimp50', '--mirror', server.address], 'SHA-256 of dimp50.pth.tar is not known here: give --sha256'),
            (['dimp50', '--sha256', '12ab', '--mirror', server.address], 'has 64 digits'),
            (['dimp50', '--sha256', DIGEST], r'no address of dimp50.*--mirror'),
            (['dimp50', '--sha256', DIGEST, '--url', 'file:///etc/passwd'], 'no address of http or https'),
            (['dimp50', '--sha256', DIGEST, '--url', 'http://['], r'http://\[ is no address of http or https'),
            (['dimp51', '--sha256', DIGEST], r"'dimp51': did you mean dimp50")):
        with pytest.raises(UserError, match=message):
            cli.main(['download', *words])
    assert server.begun == [] and not (tmp_path / 'workspace').exists()
    known = Entry('a', 'a.pth', sha256=DIGEST)
    assert known.checked_by(None) == DIGEST
    with pytest.raises(UserError, match='is not the one that is known'):
        known.checked_by('0' * 64)


def test_offline_and_absent(server, target, monkeypatch):
    with pytest.raises(UserError, match=r'404'):
        download('--mirror', f'{server.address}/elsewhere')
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        nobody = f'http://127.0.0.1:{free.getsockname()[1]}'
    with pytest.raises(UserError, match=r'cannot reach 127\.0\.0\.1.*is this machine online\?') as error:
        download('--mirror', nobody)
    assert '\n' not in str(error.value) and not target.parent.exists()


def test_a_server_that_falls_silent(target, monkeypatch):
    monkeypatch.setattr(fetching, 'TIMEOUT', 0.2)
    with socket.create_server(('127.0.0.1', 0)) as silent, pytest.raises(UserError, match='cannot reach'):
        download('--mirror', f'http://127.0.0.1:{silent.getsockname()[1]}')


def test_a_folder_that_cannot_be_written(server, tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(UserError, match='cannot write'):
        download('--mirror', server.address, '--out', str(tmp_path / 'file'))


def test_the_names(capsys):
    assert cli.main(['download']) == 0
    told = capsys.readouterr().out
    for name, entry in entries().items():
        assert re.search(f'^{name} ', told, re.MULTILINE) and Path(entry.file).name == entry.file
        assert entry.sha256 is None or entry.checked_by(None)
        assert (entry.sha256 is None) == ('--sha256' in next(line for line in told.splitlines()
                                                              if line.startswith(f'{name} ')))
