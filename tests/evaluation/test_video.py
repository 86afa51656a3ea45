"""Videos and cameras: reading, writing, the two commands, playback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest

from ltr.admin.errors import UserError
from ltr.data.image_loader import read_image
from pytracking import playback, run_tracker, run_video, run_webcam
from pytracking.evaluation import Tracker
from pytracking.evaluation.results import write_results
from pytracking.utils.images import as_rgb
from pytracking.visualization import stream, window
from pytracking.visualization import video as video_module
from pytracking.visualization.video import RATE, VideoWriter, open_source
from tests.evaluation.conftest import REPO, box_path, write_frames, write_sequence

BOX = ['--optional_box', '5', '6', '8', '9']


def frames_of(count=6, height=96, width=128):
    """A bright square that moves over a dark, coloured background."""
    frames = []
    for number in range(count):
        frame = np.full((height, width, 3), (60, 20, 10), np.uint8)
        frame[10:20, 5 + 4 * number:15 + 4 * number] = (250, 200, 40)
        frames.append(frame)
    return frames


@pytest.fixture
def movie(tmp_path):
    path = tmp_path / 'movie.avi'
    with VideoWriter(path, 10) as writer:
        for frame in frames_of():
            writer.add(frame)
    return path


# --- reading and writing ---

@pytest.mark.parametrize('suffix', ['.avi', '.mp4', '.mkv'])
def test_a_video_comes_back_as_it_was_written(tmp_path, suffix):
    path = tmp_path / 'new' / f'v{suffix}'
    with VideoWriter(path, 12.5) as writer:
        for frame in frames_of(5):
            writer.add(frame)
        assert not path.exists()
    source = open_source(path)
    assert (source.name, source.count, source.rate) == ('v', 5, 12.5)
    back = list(source.frames)
    assert len(back) == 5 and os.listdir(path.parent) == [path.name]
    for frame, known in zip(back, frames_of(5), strict=True):
        assert frame.dtype == np.uint8 and np.abs(frame.astype(int) - known).mean() < 6  # RGB, not BGR


def test_frames_of_another_size_are_fitted(tmp_path):
    with VideoWriter(tmp_path / 'v.avi') as writer:
        writer.add(frames_of(1)[0])
        writer.add(frames_of(1, 30, 30)[0])
    assert [frame.shape for frame in open_source(tmp_path / 'v.avi').frames] == [(96, 128, 3)] * 2


@pytest.mark.parametrize('error', [KeyboardInterrupt, ValueError])
def test_a_video_that_breaks_leaves_nothing(tmp_path, error):
    with pytest.raises(error), VideoWriter(tmp_path / 'v.mp4') as writer:
        writer.add(frames_of(1)[0])
        raise error
    assert os.listdir(tmp_path) == []
    with VideoWriter(tmp_path / 'v.mp4'):
        pass
    assert os.listdir(tmp_path) == []


def test_videos_that_cannot_be_written(tmp_path):
    with pytest.raises(UserError, match=r'ends in \.mp4, \.avi, \.mkv'):
        VideoWriter(tmp_path / 'v.gif')
    (tmp_path / 'file').touch()
    with pytest.raises(UserError, match='cannot make'):
        VideoWriter(tmp_path / 'file' / 'v.mp4')


def test_sources_that_are_none(tmp_path):
    (tmp_path / 'v.mp4').write_bytes(b'no video at all')
    (tmp_path / 'empty').mkdir()
    for source, message in ((tmp_path / 'absent.mp4', 'no video'), (tmp_path / 'v.mp4', 'cannot open'),
                            (tmp_path / 'empty', 'holds no images'), ('77', 'cannot open camera 77')):
        with pytest.raises(UserError, match=message):
            open_source(source)


def test_a_folder_of_16_bit_images_is_read_as_training_reads_it(tmp_path):
    thermal = np.random.default_rng(0).integers(7000, 7400, (24, 40), dtype=np.uint16)
    for number in (1, 2, 10):
        assert cv2.imwrite(str(tmp_path / f'{number}.png'), thermal + number)
    source = open_source(tmp_path)
    assert (source.count, source.rate) == (3, RATE)
    frames = list(source.frames)
    for frame, number in zip(frames, (1, 2, 10), strict=True):
        np.testing.assert_array_equal(frame, read_image(tmp_path / f'{number}.png'))
    assert frames[0].min() == 0 and frames[0].max() == 255


class Camera:
    """Stands for cv2.VideoCapture: gives `frames`, announces `count`."""

    frames, count, made = [], 0, []

    def __init__(self, source):
        self.source, self.left, self.options, self.released = source, list(self.frames), {}, False
        self.made.append(self)

    def isOpened(self):  # noqa: N802
        return True

    def set(self, option, value):
        self.options[option] = value

    def get(self, option):
        return self.count if option == cv2.CAP_PROP_FRAME_COUNT else 0.0

    def read(self):
        return (True, self.left.pop(0)) if self.left else (False, None)

    def release(self):
        self.released = True


@pytest.fixture
def camera(monkeypatch):
    monkeypatch.setattr(video_module.cv2, 'VideoCapture', Camera)
    monkeypatch.setattr(Camera, 'made', [])
    return Camera


def test_a_thermal_camera_of_16_bit(camera, monkeypatch, tmp_path):
    thermal = np.random.default_rng(0).integers(7000, 7400, (24, 40, 1), dtype=np.uint16)
    monkeypatch.setattr(camera, 'frames', [thermal] * 2)
    source = open_source('3', raw=True)
    frames = list(source.frames)
    capture, = camera.made
    assert capture.source == 3 and capture.options == {cv2.CAP_PROP_CONVERT_RGB: 0} and capture.released
    assert (source.name, source.count, source.rate) == ('camera3', None, RATE)
    assert cv2.imwrite(str(tmp_path / 'same.png'), thermal)
    np.testing.assert_array_equal(frames[0], read_image(tmp_path / 'same.png'))


def test_a_video_that_ends_early_is_told_of(camera, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(camera, 'frames', frames_of(2))
    monkeypatch.setattr(camera, 'count', 5)
    (tmp_path / 'v.mp4').touch()
    assert len(list(open_source(tmp_path / 'v.mp4').frames)) == 2
    assert 'announces 5 frames, 2 could be read' in capsys.readouterr().err


@pytest.mark.parametrize(('image', 'message'), [
    (None, 'is NoneType, not an image array'), (np.zeros((4, 4, 2), np.uint8), r'has the shape \(4, 4, 2\)'),
    (np.zeros((0, 4, 3), np.uint8), 'has the shape'), (np.zeros((4, 4, 3)), 'holds float64 numbers')])
def test_what_is_no_image(image, message):
    with pytest.raises(UserError, match=f'frame 1 {message}'):
        as_rgb(image, 'frame 1')


def test_as_rgb():
    colour = np.random.default_rng(0).integers(0, 255, (4, 5, 3), dtype=np.uint8)
    assert np.shares_memory(as_rgb(colour, ''), colour)
    np.testing.assert_array_equal(as_rgb(colour, '', bgr=True), colour[..., ::-1])
    np.testing.assert_array_equal(as_rgb(np.dstack((colour, colour[..., :1])), ''), colour)
    np.testing.assert_array_equal(as_rgb(colour[..., 0], '')[..., 2], colour[..., 0])


# --- the commands ---

def test_a_video_is_tracked_drawn_and_saved(movie, tmp_path, clean_environment, capsys):
    out = tmp_path / 'out.avi'
    box = ['--optional_box', '40', '60', '20', '20']
    assert run_video.main(['dummy', 'moving', str(movie), *box, '--save-video', str(out), '--save_results']) == 0
    text = capsys.readouterr().out
    assert 'dummy/moving, movie: 6 frames' in text and f'video: {out}' in text
    table = np.loadtxt(clean_environment / 'tracking_results' / 'dummy' / 'moving' / 'video_movie.txt')
    np.testing.assert_allclose(table, [(40 + i / 2, 60 + i / 2, 20, 20) for i in range(6)])
    source = open_source(out)
    assert source.rate == 10
    first = next(source.frames).astype(int)
    assert first[60, 50, 0] - first[70, 50, 0] > 60  # the box's upper side, red, and its inside


def test_frames_and_runs_are_chosen(movie, tmp_path, capsys):
    assert run_webcam.main(['dummy', 'moving', '--source', str(movie), *BOX, '--max-frames', '2', '--runid', '4',
                            '--save-results', '--results', str(tmp_path / 'r')]) == 0
    assert len(np.loadtxt(tmp_path / 'r' / 'dummy' / 'moving_004' / 'video_movie.txt')) == 2


@pytest.mark.parametrize('keep', [True, False])
def test_ctrl_c_keeps_what_a_camera_gave_and_nothing_of_a_video(camera, monkeypatch, tmp_path, keep, clean_environment):
    class Interrupted(Camera):
        def read(self):
            if len(self.left) == 1:
                raise KeyboardInterrupt
            return super().read()

    monkeypatch.setattr(video_module.cv2, 'VideoCapture', Interrupted)
    monkeypatch.setattr(camera, 'frames', frames_of(4))
    (tmp_path / 'v.mp4').touch()
    command = ['dummy', 'moving', *(['--source', '0'] if keep else [str(tmp_path / 'v.mp4')]), *BOX,
               '--save_results', '--save-video', str(tmp_path / 'out.avi')]
    with pytest.raises(KeyboardInterrupt):
        (run_webcam if keep else run_video).main(command)
    results = clean_environment / 'tracking_results' / 'dummy' / 'moving'
    assert sorted(os.listdir(tmp_path)) == (['out.avi', 'v.mp4'] if keep else ['v.mp4'])
    if keep:
        monkeypatch.undo()
        assert len(list(open_source(tmp_path / 'out.avi').frames)) == 3
    assert list(results.glob('*')) == [] or keep


@pytest.mark.parametrize(('arguments', 'message'), [
    (['moving', 'MOVIE'], 'the box cannot be drawn with the mouse, .* give it with --optional_box X Y W H'),
    (['moving', 'absent.mp4', *BOX], 'no video absent.mp4'),
    (['moving', 'MOVIE', '--optional_box', '500', '5', '8', '9'], 'image of 128 x 96 px; give another'),
    (['moving', 'MOVIE', '--optional_box', '5', '5', '-8', '9'], 'give another box'),
    (['moving', 'MOVIE', *BOX, '--save-video', 'v.gif'], 'ends in'),
    (['moving', 'MOVIE', *BOX, '--max-frames', '0'], 'at least 1'),
    (['movin', 'MOVIE', *BOX], "did you mean 'moving'"),
    (['absent', 'MOVIE', *BOX], "network 'absent.pth.tar' not found"),
    (['moving', 'MOVIE', *BOX, '--show'], 'no window can be opened, .* leave out --show'),
    (['moving', 'MOVIE', *BOX, '--use_visdom', '--visdom_port', '1'], 'no visdom server|the live view needs visdom'),
])
def test_mistakes(movie, tmp_path, arguments, message, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv('DISPLAY', raising=False)
    monkeypatch.delenv('WAYLAND_DISPLAY', raising=False)
    with pytest.raises(UserError, match=message):
        run_video.main(['dummy', *[str(movie) if word == 'MOVIE' else word for word in arguments]])
    assert sorted(os.listdir(tmp_path)) == ['movie.avi']


def test_the_mouse_draws_the_box_and_keys_do_what_they_say(movie, monkeypatch, capsys):
    """Stand-ins for OpenCV's windows."""
    boxes, keys, shown = [(5, 6, 8, 9), (20, 10, 10, 10)], iter('.r.q'), []
    monkeypatch.setattr(window, 'why_no_window', lambda: None)
    monkeypatch.setattr(window.cv2, 'selectROI', lambda name, image, **_: boxes.pop(0))
    monkeypatch.setattr(window.cv2, 'imshow', lambda name, image: shown.append(image))
    monkeypatch.setattr(window.cv2, 'waitKey', lambda delay: ord(next(keys)))
    assert run_video.main(['dummy', 'moving', str(movie)]) == 0
    assert 'movie: 4 frames' in capsys.readouterr().out and len(shown) == 4 and boxes == []
    monkeypatch.setattr(window.cv2, 'selectROI', lambda name, image, **_: (0, 0, 0, 0))
    with pytest.raises(UserError, match='no box was drawn'):
        run_video.main(['dummy', 'moving', str(movie)])


def test_results_become_videos(tmp_path, capsys):
    for name in 'ab':
        write_sequence(tmp_path / 'data' / name, box_path(3), width=64)
    command = ['dummy', 'moving', '--data', str(tmp_path / 'data'), '--save-video']
    assert run_tracker.main([*command, str(tmp_path / 'videos')]) == 0
    assert sorted(os.listdir(tmp_path / 'videos')) == ['a.mp4', 'b.mp4']
    assert open_source(tmp_path / 'videos' / 'a.mp4').count == 3
    assert run_tracker.main([*command, str(tmp_path / 'b.avi'), '--sequence', 'b']) == 0
    assert 'were finished before' in capsys.readouterr().out and (tmp_path / 'b.avi').exists()


def test_playback(tmp_path, capsys, clean_environment):
    write_sequence(tmp_path / 'data' / 'a', box_path(3), width=64)
    for run in (None, 2):
        write_results(Tracker('dummy', 'moving', run).results_dir, 'a', np.array(box_path(3)), np.zeros(3))
    command = ['dummy/moving', 'dummy/moving:2', '--data', str(tmp_path / 'data'), '--sequence', 'a']
    assert playback.main(command) == 0
    assert len(list((clean_environment / 'result_plots' / 'playback' / 'a').iterdir())) == 3
    assert playback.main([*command, '--save-video', str(tmp_path / 'a.avi'), '--rate', '5']) == 0
    source = open_source(tmp_path / 'a.avi')
    assert (source.count, source.rate) == (3, 5)
    for words, message in ((['dummy', *command[2:]], "'dummy' is not of the form"),
                           (['dummy/moving:x', *command[2:]], 'is not of the form'),
                           (['dummy/default', *command[2:]], 'run the tracker first'),
                           ([*command, '--rate', '0'], '--rate must be'),
                           ([*command[:-1], 'aa'], "unknown sequence 'aa'")):
        with pytest.raises(UserError, match=message):
            playback.main(words)


@pytest.mark.slow
@pytest.mark.skipif(os.name == 'nt', reason='sends signals')
@pytest.mark.parametrize(('signal_number', 'status'), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals(tmp_path, signal_number, status):
    write_frames(tmp_path / 'frames', [f'{number}.png' for number in range(200)])
    process = subprocess.Popen([sys.executable, str(REPO / 'pytracking' / 'run_video.py'), 'dummy', 'slow',
                                str(tmp_path / 'frames'), *BOX, '--save-video', str(tmp_path / 'out.avi')],
                               cwd=REPO, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob('.out*')) and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(signal_number)
    _, err = process.communicate(timeout=30)
    assert process.returncode == status and err.rstrip().endswith('stopped') and 'Traceback' not in err
    assert os.listdir(tmp_path) == ['frames']


def test_ctrl_c_before_the_first_frame_is_learned(camera, monkeypatch, tmp_path, clean_environment, capsys):
    monkeypatch.setattr(camera, 'frames', frames_of(2))
    monkeypatch.setattr(stream.LiveTracker, 'initialize', lambda *given: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        run_webcam.main(['dummy', 'moving', '--source', '0', *BOX, '--save_results', '--save-video',
                         str(tmp_path / 'out.avi')])
    out = capsys.readouterr().out
    assert ': 0 frames' in out and 'video: ' not in out and 'results: ' not in out and os.listdir(tmp_path) == []
