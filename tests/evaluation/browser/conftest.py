"""A browser, pages opened in it, and what went wrong on them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytracking.analysis.report import write_report
from pytracking.analysis.summary import Analysis

BROWSERS = ('chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable')
FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
         '--disable-component-update', '--disable-sync']
DESKTOP = {'viewport': {'width': 1280, 'height': 900}, 'color_scheme': 'light'}


@pytest.fixture(scope='session')
def browser():
    """Chromium of this machine; playwright makes it a fresh profile each time."""
    sync_api = pytest.importorskip('playwright.sync_api', reason='playwright is not installed (extra: browser)')
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip(f'no browser found (one of {", ".join(BROWSERS)}; on Debian: apt-get install chromium)')
    with sync_api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield running
        running.close()


class Opened:
    """A page, and what went wrong on it."""

    def __init__(self, browser, path: Path, **options) -> None:
        self.context = browser.new_context(**(options or DESKTOP))
        self.page = self.context.new_page()
        self.page.set_default_timeout(10_000)
        self.wrong: list[str] = []
        self.asked: list[str] = []
        self.page.on('console', lambda message: self.wrong.append(f'{message.type}: {message.text}'))
        self.page.on('pageerror', lambda error: self.wrong.append(str(error)))
        self.page.on('request', lambda request: self.asked.append(request.url))
        self.page.goto(path.absolute().as_uri())

    def column(self, table: str, index: int, rows: str = 'tbody tr') -> list[str]:
        return [cell.inner_text().strip() for cell in self.page.locator(f'{table} {rows} > :nth-child({index})').all()]


@pytest.fixture
def open_page(browser, tmp_path) -> Iterator:
    pages: list[Opened] = []

    def act(analysis: Analysis, embed: int = 0, name: str = 'page.html', **options) -> Opened:
        write_report(analysis, tmp_path / name, embed)
        pages.append(Opened(browser, tmp_path / name, **options))
        return pages[-1]

    yield act
    for opened in pages:
        opened.context.close()
        assert not opened.wrong
        assert not [url for url in opened.asked if not url.startswith(('file:', 'data:'))]


def near(shown: list[str], expected: list[float]) -> bool:
    """Shown with one decimal; a tie may be rounded either way."""
    return len(shown) == len(expected) and all(
        abs(float(text) - 100 * value) <= 0.0501 for text, value in zip(shown, expected, strict=True))
