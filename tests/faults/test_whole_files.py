"""Files that are there whole or not at all, and what killed processes leave."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from ltr.admin import whole
from ltr.admin.errors import UserError
from ltr.admin.whole import open_folder, replacing, write_whole


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_what_killed_processes_left_of_a_file_goes_with_its_next_writing(tmp_path):
    """And nothing else: not what is being written of other files, however their names begin."""
    for name in ('.a.txt.1.tmp', '.a.txt.99999.tmp', '.a.txt.b.7.tmp', '.[a].txt.7.tmp', '.b.txt.7.tmp', 'a.txt.1.tmp'):
        (tmp_path / name).write_text('half')
    write_whole(tmp_path / 'a.txt', b'new')
    others = ['.[a].txt.7.tmp', '.a.txt.b.7.tmp', '.b.txt.7.tmp', 'a.txt.1.tmp']
    assert names(tmp_path) == sorted([*others, 'a.txt']) and (tmp_path / 'a.txt').read_bytes() == b'new'
    write_whole(tmp_path / '[a].txt', b'new')
    assert '.[a].txt.7.tmp' not in names(tmp_path)


@pytest.mark.parametrize('error', [OSError(errno.ENOSPC, 'No space left on device'), KeyboardInterrupt(), ValueError()])
def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path, error):
    write_whole(tmp_path / 'a', b'old')
    told = UserError if isinstance(error, OSError) else type(error)
    with pytest.raises(told), replacing(tmp_path / 'a') as temporary:
        temporary.write_bytes(b'ne')
        raise error
    assert names(tmp_path) == ['a'] and (tmp_path / 'a').read_bytes() == b'old'


def test_two_writers_of_one_file_never_mix(tmp_path, monkeypatch):
    """The later one wins; the other is told that it could not write, and its half file is never read."""
    path, real = tmp_path / 'a', os.getpid()
    with pytest.raises(UserError, match=r'cannot write .*a: No such file'), replacing(path) as first:
        first.write_bytes(b'half of the fir')
        monkeypatch.setattr(os, 'getpid', lambda: real + 1)
        write_whole(path, b'second')
        monkeypatch.undo()
    assert names(tmp_path) == ['a'] and path.read_bytes() == b'second'


def test_a_folder_is_tried_before_it_is_needed(tmp_path):
    open_folder(tmp_path / 'a' / 'b', 'take another')
    assert names(tmp_path / 'a' / 'b') == []
    (tmp_path / 'file').write_text('')
    with pytest.raises(UserError, match=r'cannot write into .*file/deeper: Not a directory; take another'):
        open_folder(tmp_path / 'file' / 'deeper', 'take another')


@pytest.mark.skipif(os.name == 'nt', reason='pipes and devices by name')
def test_a_stream_is_written_and_never_replaced(tmp_path):
    os.mkfifo(tmp_path / 'pipe')
    reader = os.open(tmp_path / 'pipe', os.O_RDONLY | os.O_NONBLOCK)
    write_whole(tmp_path / 'pipe', b'news')
    assert os.read(reader, 9) == b'news' and names(tmp_path) == ['pipe']
    assert stat.S_ISFIFO(os.stat(tmp_path / 'pipe').st_mode)
    os.close(reader)
    link = Path('/dev/stdout')
    assert not link.is_symlink() or whole._is_stream(link)
    if Path('/dev/full').exists():
        with pytest.raises(UserError, match='cannot write /dev/full: No space left on device'):
            write_whole(Path('/dev/full'), b'news')


def test_a_reader_that_leaves_is_no_failure(tmp_path):
    with pytest.raises(BrokenPipeError), replacing(tmp_path / 'a'):
        raise BrokenPipeError
    assert names(tmp_path) == []
