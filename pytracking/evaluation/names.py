"""Names of sequences that are names of files, too: results, videos, pictures are called after them."""

from __future__ import annotations

import hashlib
import re

from ltr.admin.errors import UserError

LONGEST = 180
"""Bytes: what files of a sequence are called adds some, and file systems take 255."""
_ESCAPES = re.compile(r'[:/\\\x00-\x1f\x7f\x85\u2028\u2029]')
_UNSAFE = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f\x85\u2028\u2029]')
# Windows opens devices under these names, with any suffix.
_DEVICE = re.compile(r'(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?', re.IGNORECASE)


def safe_name(name: str) -> str:
    """A name like `name` that can be a file's on any system, and leads into no other folder.

    >>> safe_name('a:b/../c'), safe_name('CON'), safe_name('..')
    ('a_b_.._c', 'CON_', '_')
    """
    safe = _UNSAFE.sub('_', name).rstrip('. ') or '_'
    safe = re.sub(r'(?i)^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?=\.|$)', r'\1_', safe)
    data = safe.encode('utf-8', 'surrogateescape')
    if len(data) <= LONGEST:
        return safe
    mark = hashlib.sha256(data).hexdigest()[:10]
    return f'{data[:LONGEST - 11].decode("utf-8", "ignore")}~{mark}'


def check_name(name: str) -> None:
    """Refuse a name that would lead out of the folder of results, or can be no file's.

    Raises:
        UserError: a separator, a control sign, a device of Windows, too long, or nothing.
    """
    reason = ''
    if not name or name.strip('. ') == '':
        reason = 'it is empty, or dots alone'
    elif _ESCAPES.search(name):
        reason = 'it holds a slash, a colon or a control sign'
    elif _DEVICE.fullmatch(name):
        reason = 'Windows opens a device under this name'
    elif len(name.encode('utf-8', 'surrogateescape')) > LONGEST:
        reason = f'it is longer than {LONGEST} bytes'
    if reason:
        shown = name if len(name) <= 60 else f'{name[:57]}...'
        raise UserError(f'a sequence cannot be called {shown!r}: {reason}, and files are called after it: rename it')
