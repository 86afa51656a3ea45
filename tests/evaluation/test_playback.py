"""Pictures of results."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from ltr.admin.errors import UserError
from ltr.data.image_loader import read_image
from pytracking.analysis import playback_results
from pytracking.evaluation import Tracker, get_dataset
from pytracking.evaluation.results import write_results
from pytracking.visualization.drawing import COLOURS, WHITE
from tests.evaluation.conftest import write_sequence


def test_a_picture_a_frame_with_everybody_s_box(tmp_path, clean_environment):
    write_sequence(tmp_path / 'data' / 'a', [(150, 5, 8, 9), (np.nan,) * 4, (152, 5, 8, 9)], width=200)
    for path in (tmp_path / 'data' / 'a' / 'img').iterdir():
        assert cv2.imwrite(str(path), np.full((64, 200, 3), 90, np.uint8))
    sequence = get_dataset('folder', root=tmp_path / 'data')['a']
    one, two = Tracker('dummy', 'moving'), Tracker('dummy', 'default')
    write_results(one.results_dir, 'a', np.array([[170.0, 8, 10, 10]] * 3), np.zeros(3))
    with pytest.raises(UserError, match='run the tracker first'):
        playback_results([one, two], sequence)
    write_results(two.results_dir, 'a', np.array([[120.0, 3, 6, 6], [np.nan] * 4, [1e9, -1e9, 5, 5]]), np.zeros(3))
    files = playback_results([one, two], sequence)
    folder = clean_environment / 'result_plots' / 'playback' / 'a'
    assert files == [folder / f'{i:06d}.png' for i in (1, 2, 3)] == sorted(folder.iterdir())
    pictures = [read_image(path) for path in files]
    assert all(picture.shape == (64, 200, 3) for picture in pictures)
    assert tuple(pictures[0][14, 154]) == WHITE and tuple(pictures[2][14, 156]) == WHITE
    assert all(tuple(picture[18, 175]) == COLOURS[0] for picture in pictures)
    lines = np.split(pictures[1][:, :100].astype(int), (18, 32, 46))  # title, truth, and a line each
    shown = [[(line == colour).all(axis=2).any() for colour in (WHITE, *COLOURS[:2])] for line in lines]
    assert shown == [[True, False, False], [True, False, False], [False, True, False], [False, False, True]]
    assert tuple(pictures[0][9, 123]) == COLOURS[1] != tuple(pictures[1][9, 123])
