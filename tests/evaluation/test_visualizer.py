"""Drawings, and the live view against a stand-in for visdom."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from ltr.admin.errors import UserError
from ltr.admin.settings import Settings
from ltr.admin.stats import AverageMeter
from ltr.admin.visdom_writer import VisdomWriter, connect, writer_of
from pytracking.visualization.drawing import COLOURS, WHITE, colour_of, cut_out, draw, for_display
from pytracking.visualization.visdom_view import CONFIDENCE, CONTROL, FRAME, SCORES, SEARCH, VisdomView
from tests.evaluation.conftest import REPO


class StandIn:
    """Records what is sent; `gone` makes it a server that has gone away."""

    def __init__(self, **options):
        self.options, self.sent, self.gone, self.handlers = options, [], False, {}

    def _send(self, kind, win, **options):
        if self.gone:
            raise ConnectionError('gone')
        self.sent.append((kind, win, options))

    def image(self, img, win, opts):
        assert img.dtype == np.uint8 and img.shape[0] == 3
        self._send('image', win, shape=img.shape, **opts)

    def heatmap(self, X, win, opts):
        self._send('heatmap', win, X=X, **opts)

    def line(self, Y, X, win, name, update, opts):
        self._send('line', win, point=(X[0], Y[0]), name=name, update=update)

    def text(self, text, win, opts):
        self._send('text', win, text=text)

    def win_exists(self, win):
        return not self.gone

    def register_event_handler(self, handler, win):
        self.handlers[win] = handler

    def press(self, key):
        self.handlers[CONTROL]({'event_type': 'KeyPress', 'key': key})


@pytest.fixture
def port(monkeypatch):
    """A port that accepts connections, and a module visdom that does not care."""
    module = type(sys)('visdom')
    module.Visdom = StandIn
    monkeypatch.setitem(sys.modules, 'visdom', module)
    with socket.create_server(('127.0.0.1', 0)) as server:
        yield server.getsockname()[1]


IMAGE = np.random.default_rng(0).integers(0, 255, (60, 80, 3), dtype=np.uint8)
OUTPUT = {'search_area': [-10, -10, 40, 30], 'score_map': np.arange(12.0).reshape(3, 4), 'confidence': 11.0}


def test_what_is_sent(port):
    view = VisdomView('127.0.0.1', port, level=1)
    assert view.view.options == {'server': 'http://127.0.0.1', 'port': port, 'env': 'main', 'raise_exceptions': True,
                                 'use_incoming_socket': True}
    before = IMAGE.copy()
    view.show('car 1/9', IMAGE, {'dimp': [10, 10, 20, 20]}, {})
    assert [win for _, win, _ in view.view.sent] == [CONTROL, FRAME]
    view.view.sent.clear()
    view.show('car 2/9', IMAGE, {'dimp': [10, 10, 20, 20]}, OUTPUT)
    view.show('car 3/9', IMAGE, {'dimp': [10, 10, 20, 20]}, {**OUTPUT, 'search_area': [np.nan] * 4})
    view.show('bus 1/9', IMAGE, {}, {'confidence': 0.5})
    sent = view.view.sent
    assert [win for _, win, _ in sent] == [FRAME, SEARCH, SCORES, CONFIDENCE, FRAME, SCORES, CONFIDENCE,
                                           FRAME, CONFIDENCE]
    assert sent[0][2]['shape'] == (3, 300, 400) and sent[1][2]['shape'] == (3, 216, 288)
    np.testing.assert_array_equal(sent[2][2]['X'], OUTPUT['score_map'])
    assert '11.000' in sent[2][2]['title']
    curve = [options for _, win, options in sent if win == CONFIDENCE]
    assert [(item['point'], item['name'], item['update']) for item in curve] == [
        ((2, 11.0), 'car', None), ((3, 11.0), 'car', 'append'), ((1, 0.5), 'bus', None)]
    np.testing.assert_array_equal(IMAGE, before)


def test_a_key_that_comes_twice_counts_once(port, monkeypatch):
    """As some come from visdom's page."""
    now = [100.0]
    monkeypatch.setattr('pytracking.visualization.visdom_view.time.monotonic', lambda: now[0])
    view = VisdomView('127.0.0.1', port)
    for key, wait, paused, step in ((' ', 0.01, True, False), (' ', 1, True, False), (' ', 1, False, False),
                                    (' ', 0.01, True, False), ('ArrowRight', 0.01, True, True)):
        view.view.press(key)
        assert (view.paused, view.step) == (paused, step)
        now[0] += wait


def test_space_pauses_and_the_arrow_steps(port, monkeypatch):
    monkeypatch.setattr('pytracking.visualization.visdom_view.BOUNCE', 0.0)
    view = VisdomView('127.0.0.1', port)
    shown = []

    def run():
        for number in range(5):
            view.show(f'a {number}', IMAGE, {}, {})
            shown.append(number)

    def wait_for(count):
        deadline = time.monotonic() + 5
        while len(shown) < count and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.1)
        return len(shown)

    view.view.press(' ')
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    time.sleep(0.2)
    assert not shown and 'paused at a 0' in view.view.sent[-1][2]['text']
    view.view.press('ArrowRight')
    assert wait_for(1) == 1
    view.view.press('ArrowRight')
    assert wait_for(2) == 2
    view.view.press('x')
    view.view.handlers[CONTROL]({'event_type': 'Close'})
    assert wait_for(2) == 2
    view.view.press(' ')
    assert wait_for(5) == 5


@pytest.mark.parametrize('paused', [False, True])
def test_a_server_that_goes_away_does_not_end_the_run(port, capsys, paused, monkeypatch):
    monkeypatch.setattr('pytracking.visualization.visdom_view.PATIENCE', 0.05)
    view = VisdomView('127.0.0.1', port)
    view.paused = paused
    threading.Timer(0.1, setattr, (view.view, 'gone', True)).start()
    for number in range(200 if not paused else 2):
        view.show(f'a {number}', IMAGE, {}, {})
        time.sleep(0.002)
    assert view.view is None
    assert capsys.readouterr().err == 'notice: the visdom server is gone, the run goes on without it\n'
    view.close()


def test_curves_of_a_training(port, capsys):
    writer = VisdomWriter('ltr/dimp/dimp18', '127.0.0.1', port)
    assert writer.view.options['env'] == 'ltr_dimp_dimp18' and not writer.view.options['use_incoming_socket']
    loss, empty = AverageMeter(), AverageMeter()
    loss.update(3.0)
    loss.new_epoch()
    stats = {'train': {'Loss/total': loss, 'Loss/iou': empty}, 'val': None}
    writer.write_epoch(stats, 4)
    assert writer.view.sent == [('line', 'Loss/total', {'point': (4, 3.0), 'name': 'train', 'update': 'append'})]
    writer.view.gone = True
    writer.write_epoch(stats, 5)
    writer.write_epoch(stats, 6)
    assert capsys.readouterr().err == 'notice: the visdom server is gone, no more curves are sent\n'
    writer.close()


def test_settings_ask_for_curves(port):
    settings = Settings()
    assert writer_of(settings) is None
    settings.use_visdom, settings.visdom_port, settings.project_path = True, port, 'ltr/dimp/dimp50'
    writer = writer_of(settings)
    assert writer.env == 'ltr_dimp_dimp50' and writer.view.options['port'] == port
    settings.visdom_port = 1
    with pytest.raises(UserError, match='no visdom server'):
        writer_of(settings)


def test_no_visdom_and_no_server(monkeypatch, port):
    with pytest.raises(UserError, match=r'no visdom server at 127.0.0.1:1 .*python -m visdom.server -port 1'):
        connect('127.0.0.1', 1)
    with pytest.raises(UserError, match=r'no visdom server at 127.0.0.1:99999'):
        connect('http://127.0.0.1', 99999)
    monkeypatch.setitem(sys.modules, 'visdom', None)
    with pytest.raises(UserError, match='pip install visdom'):
        connect('127.0.0.1', port)


def test_nothing_of_this_is_imported_unless_asked():
    code = ('import sys, pytracking.evaluation.running, ltr.admin.visdom_writer, pytracking.visualization.visdom_view;'
            'print(sorted({"visdom", "ray", "requests", "tornado"} & set(sys.modules)))')
    out = subprocess.run([sys.executable, '-c', code], cwd=REPO, capture_output=True, text=True, check=True)
    assert out.stdout.strip() == '[]'


# --- drawings ---

def test_boxes_and_legend():
    image = np.full((100, 200, 3), 120, np.uint8)
    picture = draw(image, {'ground truth': [150, 40, 20, 30], 'a': [100, 50, 20.4, 30], 'b': [np.nan] * 4,
                           'c': [1e12, -1e12, 5, 5]}, 'title 1/2')
    assert (image == 120).all() and picture.shape == image.shape
    assert tuple(picture[55, 150]) == WHITE and tuple(picture[40, 165]) == WHITE
    assert tuple(picture[65, 100]) == COLOURS[0] and tuple(picture[65, 120]) == COLOURS[0]
    assert (picture[44:60, :60] == COLOURS[1]).all(axis=2).any()
    assert colour_of('x', 7) == COLOURS[1] and colour_of('ground truth', 3) == WHITE


def test_grey_images_of_low_contrast_are_stretched_for_the_eye_alone():
    ramp = np.tile(np.arange(100, 140, dtype=np.uint8), (10, 1))
    grey = np.repeat(ramp[..., None], 3, axis=2)
    shown = for_display(grey)
    assert shown.min() == 0 and shown.max() == 255 and grey.min() == 100
    assert (np.diff(shown[0, :, 0].astype(int)) >= 0).all()
    colour = np.stack((ramp, ramp // 2, 255 - ramp), axis=2)  # false colour
    wide = np.repeat((ramp - 100)[..., None] * 6, 3, axis=2)
    flat = np.full((5, 5, 3), 9, np.uint8)
    for image in (colour, wide, flat):
        np.testing.assert_array_equal(for_display(image), image)
        assert for_display(image) is not image


def test_cut_out():
    image = np.zeros((40, 60, 3), np.uint8)
    image[10:20, 30:50] = 200
    part = cut_out(image, [30, 10, 20, 10], 20)
    assert part.shape == (10, 20, 3) and (part == 200).all()
    double = cut_out(image, [30, 10, 20, 10], 40)
    assert double.shape == (20, 40, 3) and (double[1:-1, 1:-1] == 200).all()
    image[:, 0] = 77
    assert (cut_out(image, [-100, 0, 100.5, 10], 100)[:, :99] == 77).all()  # replicated border
    for area in ([70, 0, 5, 5], [0, 0, 0, 5], [0, 0, 5, -1], [np.nan, 0, 5, 5], [-50, 0, 10, 10]):
        assert cut_out(image, area) is None
