"""One file from the first address that has it, gone on with where it broke off, and kept only if its hash is right."""

from __future__ import annotations

import hashlib
import http.client
import os
import re
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cmd_plugin.errors import UserError

TIMEOUT = 30.0
"""Seconds without an answer."""
BLOCK = 1 << 18


class _FailedError(Exception):
    """This address did not give the file; another may."""


def fetch(urls: Sequence[str], digest: str, target: Path) -> list[str]:
    """Fetch a file.

    Bytes go to `TARGET.part`. A part that broke off stays and is gone on with, from whichever address, the next time;
    one whose hash is wrong is removed.

    Args:
        urls: addresses of the same file, tried in order.
        digest: its SHA-256.
        target: where it goes, in a folder that is made if need be.

    Returns:
        Lines for the user.

    Raises:
        UserError: no address gave the file, it cannot be written, or another one is there already.
    """
    if target.is_file():
        if hash_of(target) != digest:
            raise UserError(f'{target} is there already, with another SHA-256: remove it, or take another --out')
        return [f'{target} is there already']
    part = target.with_name(f'{target.name}.part')
    failures = []
    for url in urls:
        try:
            _download(url, part)
            _check(url, part, digest)
        except _FailedError as error:
            failures.append(str(error))
            continue
        os.replace(part, target)
        return [f'notice: {failure}' for failure in failures] + [f'{target}, from {urlsplit(url).netloc}']
    kept = f'; {part.stat().st_size} bytes are kept, the same command goes on from there' if part.is_file() else ''
    raise UserError(f'{target.name} could not be fetched: {"; ".join(failures)}{kept}')


def hash_of(path: Path) -> str:
    """SHA-256 of a file."""
    digest = hashlib.sha256()
    with open(path, 'rb') as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _check(url: str, part: Path, digest: str) -> None:
    found = hash_of(part)
    if found != digest:
        part.unlink()
        raise _FailedError(f'{urlsplit(url).netloc} gave a file with the wrong SHA-256, which is removed: {found}, '
                           f'expected {digest}')


def _download(url: str, part: Path) -> None:
    """Append to `part` what it lacks, or begin anew where the server does not go on."""
    have = part.stat().st_size if part.is_file() else 0
    host = urlsplit(url).netloc
    request = urllib.request.Request(url, headers={'Range': f'bytes={have}-'} if have else {})
    try:
        response = urllib.request.urlopen(request, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416 and have:
            return  # nothing is missing; the hash tells whether it is the file
        raise _FailedError(f'{host} answers {error.code} {error.reason}') from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, 'reason', None) or error
        raise _FailedError(f'cannot reach {host} ({reason}): is this machine online?') from error
    with response:
        begins = re.match(r'bytes (\d+)-', response.headers.get('Content-Range', ''))
        goes_on = response.status == 206 and begins is not None and int(begins[1]) == have
        if response.status == 206 and not goes_on:
            raise _FailedError(f'{host} went on at another place than asked')
        _append(response, part, have if goes_on else 0, host)


def _append(response: Any, part: Path, have: int, host: str) -> None:
    """Write the answer behind the first `have` bytes of `part`."""
    from tqdm import tqdm
    length = response.headers.get('Content-Length')
    total = have + int(length) if length and length.isdigit() else None
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        with (open(part, 'ab' if have else 'wb') as file,
              tqdm(total=total, initial=have, unit='B', unit_scale=True, desc=part.stem, disable=None) as bar):
            for block in _blocks(response, host):
                bar.update(file.write(block))
                have += len(block)
    except OSError as error:
        raise UserError(f'cannot write {part}: {error.strerror or error}; make room or choose another '
                        'folder') from error
    if total is not None and have < total:
        raise _FailedError(f'{host} broke off at {have} of {total} bytes')


def _blocks(response: Any, host: str) -> Iterator[bytes]:
    try:
        while block := response.read(BLOCK):
            yield block
    except (OSError, http.client.HTTPException) as error:
        raise _FailedError(f'{host} broke off ({error})') from error
