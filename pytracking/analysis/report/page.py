"""Fill the page: style, scripts and data go into `page.html`, and nothing that a name says can act."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

from ltr.admin.whole import write_whole
from pytracking.analysis.report.payload import make_payload
from pytracking.analysis.report.pictures import Pictures
from pytracking.analysis.summary import Analysis

# The order matters only for the last: it starts the page.
SCRIPTS = ('dom', 'model', 'table', 'plot', 'curves', 'filter', 'overview', 'sequences', 'timeline', 'stage', 'viewer',
           'start')
_SLOT = re.compile(r'\{\{(\w+)\}\}')
_UNSAFE = {ord(sign): f'\\u{ord(sign):04x}' for sign in '<>&\u2028\u2029'}


def write_report(analysis: Analysis, path: Path, embed_frames: int = 0) -> list[str]:
    """Write the page.

    Args:
        analysis: what it shows.
        path: the HTML file; folders are made. Images are linked relative to it.
        embed_frames: 0: link to the images; else at most so many small pictures a sequence are put into the page,
            and nothing is linked.

    Returns:
        What the page lacks, a line each (images that are absent, or that no browser shows).

    Raises:
        UserError: an image to embed cannot be read, or the file not be written.
    """
    pictures = Pictures(path.absolute().parent, embed_frames)
    payload = make_payload(analysis, pictures)
    # Line ends as they are: the checksums of the scripts are over them.
    write_whole(path, render_page(payload).encode('utf-8', errors='replace'))
    return payload['lacks']


def render_page(payload: dict[str, Any]) -> str:
    """The page as text. A content-security policy allows its own style and scripts, and images; nothing else."""
    script = '\n'.join(["'use strict';", '(() => {', *(_asset(f'script/{name}.js') for name in SCRIPTS), '})();'])
    style = _asset('style.css')
    policy = (f"default-src 'none'; base-uri 'none'; form-action 'none'; img-src 'self' file: data:; "
              f"script-src '{_checksum(script)}'; style-src '{_checksum(style)}'")
    slots = {'title': html.escape(' '.join(payload['title'].split())), 'policy': html.escape(policy), 'style': style,
             'script': script, 'data': script_json(payload)}
    return _SLOT.sub(lambda match: slots[match[1]], _asset('page.html'))


def script_json(value: Any) -> str:
    """JSON that is inert inside a script element: `<`, `>`, `&` and the line separators are written as escapes.

    >>> script_json('</script>')
    '"\\\\u003c/script\\\\u003e"'
    """
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(',', ':')).translate(_UNSAFE)


def _asset(name: str) -> str:
    return files('pytracking.analysis.report').joinpath(*name.split('/')).read_text(encoding='utf-8').replace('\r', '')


def _checksum(content: str) -> str:
    return 'sha256-' + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
