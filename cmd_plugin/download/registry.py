"""Which files have a name, where they may be had, and what their SHA-256 is: `names.json`."""

from __future__ import annotations

import difflib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

from cmd_plugin.errors import UserError

NAMES = Path(__file__).with_name('names.json')
MIRRORS = 'CMD_MIRRORS'


@dataclass(frozen=True)
class Entry:
    """One file.

    Attributes:
        name: by which it is asked for.
        file: its file name, here and on mirrors.
        about: one line.
        sha256: None where it is not known; the user then has to give it.
        urls: addresses of the file itself.
    """

    name: str
    file: str
    about: str = ''
    sha256: str | None = None
    urls: tuple[str, ...] = ()

    def checked_by(self, given: str | None) -> str:
        """The SHA-256 that the file must have.

        Args:
            given: by the user, or None.

        Raises:
            UserError: neither is known, `given` is none, or the two differ. No file goes unchecked.
        """
        if given is None and self.sha256 is None:
            raise UserError(f'the SHA-256 of {self.file} is not known here: give --sha256, as published with the file')
        digest = (given or self.sha256 or '').lower()
        if not re.fullmatch('[0-9a-f]{64}', digest):
            raise UserError(f'--sha256 {given}: a SHA-256 has 64 digits of 0-9 and a-f')
        if self.sha256 not in (None, digest):
            raise UserError(f'--sha256 is not the one that is known of {self.file}, {self.sha256}: leave it out')
        return digest

    def addresses(self, mirrors: list[str], urls: list[str]) -> list[str]:
        """Where to look, in this order: `urls` of the user, mirrors, the entry's own.

        Args:
            mirrors: addresses of folders that hold the file under its name.
            urls: addresses of the file itself.

        Raises:
            UserError: there is none, or one that is not of http or https.
        """
        folders = [*mirrors, *os.environ.get(MIRRORS, '').split()]
        found = [*urls, *(f'{folder.rstrip("/")}/{quote(self.file)}' for folder in folders), *self.urls]
        wrong = [url for url in found if not _is_address(url)]
        if wrong:
            raise UserError(f'{wrong[0]} is no address of http or https')
        if not found:
            raise UserError(f'no address of {self.file} is known: give --mirror, the address of a folder that has it, '
                            f'or --url, its own; mirrors can stay in {MIRRORS}')
        return found


def _is_address(url: str) -> bool:
    try:
        return urlsplit(url).scheme in ('http', 'https')
    except ValueError:  # brackets that hold no address
        return False


def entries(path: Path = NAMES) -> dict[str, Entry]:
    """All entries by name."""
    said = json.loads(path.read_text(encoding='utf-8'))
    return {name: Entry(name, fields['file'], fields.get('about', ''), fields.get('sha256'),
                        tuple(fields.get('urls', ()))) for name, fields in said.items()}


def entry(name: str, path: Path = NAMES) -> Entry:
    """The entry `name`. Raises `UserError` with near names where there is none."""
    known = entries(path)
    if name not in known:
        near = difflib.get_close_matches(name, known, n=2)
        hint = f'did you mean {" or ".join(near)}? ' if near else ''
        raise UserError(f'no file is called {name!r}: {hint}known: {", ".join(known)}')
    return known[name]
