"""The live view on a real visdom server, looked at through its interface and through a browser."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from ltr.admin.stats import AverageMeter
from ltr.admin.visdom_writer import VisdomWriter, connect
from pytracking.run_tracker import main
from pytracking.visualization.visdom_view import FRAME, SCORES, SEARCH, VisdomView
from tests.evaluation.conftest import box_path, write_sequence
from tests.evaluation.trouble import PLUGIN

pytestmark = pytest.mark.slow
SERVE = ('import sys; from visdom.server.run_server import start_server; '
         'start_server(port=int(sys.argv[1]), env_path=sys.argv[2], base_url="", bind_local=True)')
FLAGS = ('--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync',
         '--disable-background-networking', '--disable-component-update')


@pytest.fixture(scope='module')
def port(tmp_path_factory):
    """Of a visdom server that lives as long as the tests of this file."""
    pytest.importorskip('visdom', reason='visdom is not installed (pip install visdom)')
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        number = free.getsockname()[1]
    server = subprocess.Popen([sys.executable, '-c', SERVE, str(number), str(tmp_path_factory.mktemp('visdom'))],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(('127.0.0.1', number), 1).close()
            break
        except OSError:
            assert server.poll() is None and time.monotonic() < deadline, 'the visdom server does not start'
            time.sleep(0.1)
    yield number
    server.terminate()
    server.wait(10)


@pytest.fixture
def page(port):
    """The server's page in Chromium, driven by playwright."""
    sync_api = pytest.importorskip('playwright.sync_api', reason='playwright is not installed (extra: browser)')
    program = next(filter(None, map(shutil.which, ('chromium', 'chromium-browser', 'google-chrome'))), None)
    if not program:
        pytest.skip('Chromium is not installed')
    import visdom
    if not (Path(visdom.__file__).parent / 'static' / 'js' / 'react-react.min.js').exists():
        pytest.skip('the scripts of visdom\'s page are not there: its server downloads them at its first start')
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        opened = browser.new_page(viewport={'width': 1400, 'height': 1000})
        opened.goto(f'http://127.0.0.1:{port}')
        yield opened
        browser.close()


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.setenv('PYTRACKING_PLUGINS', PLUGIN)
    write_sequence(tmp_path / 'data' / 'a', box_path(6), width=64)
    return tmp_path / 'data'


def until(condition, seconds=30):
    """Wait for a condition; its value."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, 'waited in vain'
        time.sleep(0.05)
    return value


def windows(port):
    view = connect('127.0.0.1', port)
    return {name: json.loads(view.get_window_data(name)) for name in (FRAME, SEARCH, SCORES)}


def test_a_run_sends_image_search_region_and_score_map(data, port, capsys):
    assert main(['trouble', 'default', '--data', str(data), '--use_visdom', 'True', '--visdom_port', str(port),
                 '--debug', '1']) == 0
    found = windows(port)
    assert found[FRAME]['title'] == 'a 6/6' and found[FRAME]['content']['src'].startswith('data:image/jpeg;base64,')
    assert found[SEARCH]['content']['src'].startswith('data:image/jpeg;base64,')
    scores = np.array(found[SCORES]['content']['data'][0]['z'])
    assert scores.shape == (5, 7) and scores[1, 5] == 0.75 and scores.sum() == 0.75
    assert found[SCORES]['content']['layout']['yaxis']['autorange'] == 'reversed'
    curve = json.loads(connect('127.0.0.1', port).get_window_data('confidence'))['content']['data'][0]
    assert curve['x'][-1] == 6 and curve['y'][-1] == 0.75


def test_the_page_shows_image_and_score_map(data, port, page, tmp_path):
    assert main(['trouble', 'default', '--data', str(data), '--use_visdom', '--visdom_port', str(port)]) == 0
    page.wait_for_selector('.js-plotly-plot .heatmaplayer image', state='attached')
    page.wait_for_selector('text=a 6/6')
    sizes = page.eval_on_selector_all('img.content-image', 'all => all.map(i => [i.naturalWidth, i.naturalHeight])')
    assert [400, 150] in sizes and [256, 288] in sizes  # the frame and the search region
    text = page.inner_text('body')
    assert 'score map, peak 0.750' in text and 'search region' in text
    page.screenshot(path=str(tmp_path / 'visdom.png'))


def test_pause_and_step_by_keys_on_the_page(port, page):
    view = VisdomView('127.0.0.1', port)
    shown = []

    def run():
        for number in range(1000):
            view.show(f'k {number}', np.zeros((24, 64, 3), np.uint8), {}, {})
            shown.append(number)
            time.sleep(0.05)

    page.wait_for_selector('.window:has-text("click here")')
    threading.Thread(target=run, daemon=True).start()
    until(lambda: len(shown) > 3)
    page.click('.window:has-text("click here")')
    page.keyboard.press('Space')
    until(lambda: view.paused)
    time.sleep(0.5)
    held = len(shown)
    time.sleep(0.5)
    assert len(shown) == held
    page.keyboard.press('ArrowRight')
    until(lambda: len(shown) == held + 1)
    time.sleep(0.3)
    assert len(shown) == held + 1
    page.keyboard.press('Space')
    until(lambda: len(shown) > held + 5)
    view.close()


def test_training_curves(port):
    meter = AverageMeter()
    writer = VisdomWriter('ltr/dimp/dimp18', '127.0.0.1', port)
    for epoch, value in enumerate((4.0, 2.0), 1):
        meter.update(value)
        meter.new_epoch()
        writer.write_epoch({'train': {'Loss/total': meter}, 'val': None}, epoch)
    window = json.loads(writer.view.get_window_data('Loss/total'))
    assert window['content']['data'][0]['name'] == 'train'
    assert (window['content']['data'][0]['x'], window['content']['data'][0]['y']) == ([1, 2], [4, 2])
    writer.close()
