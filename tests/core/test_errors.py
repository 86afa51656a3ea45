"""How commands end: exit status, and what is said where nobody reads any more."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.conftest import REPO

LINES = 'print("a line of text\\n" * 100_000)'
PIPE = 'a, b = __import__("os").pipe(); __import__("os").close(a); __import__("os").write(b, b"x")'


def ended(body: str, read: bool) -> tuple[int, str]:
    """Exit status and stderr of a command whose `main` runs `body`, its output read or dropped."""
    code = f'from ltr.admin.errors import UserError, cli\ndef main():\n    {body}\ncli(main)'
    with subprocess.Popen([sys.executable, '-c', code], cwd=REPO, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True) as child:
        assert child.stdout is not None and child.stderr is not None
        if read:
            child.stdout.read()
        child.stdout.close()
        return child.wait(60) or 0, child.stderr.read()


def test_a_reader_who_leaves_is_no_error():
    assert ended(LINES, read=False) == (141, '')


def test_the_pipe_of_something_else_keeps_its_trace_back():
    status, said = ended(PIPE, read=True)
    assert status == 1 and 'BrokenPipeError' in said


@pytest.mark.parametrize(('body', 'status', 'said'), [
    ('return None', 0, ''),
    ('return 3', 3, ''),
    ('raise UserError("no such file")', 2, 'error: no such file\n'),
    ('raise KeyboardInterrupt', 130, 'stopped\n'),
])
def test_exit_status(body, status, said):
    assert ended(body, read=True) == (status, said)
