"""Pictures as files, and commands that write them."""

from __future__ import annotations

import numpy as np
import pytest

from cmd_plugin import cli
from cmd_plugin.data.__main__ import main as sheet
from cmd_plugin.errors import UserError
from cmd_plugin.pictures import write_picture
from cmd_plugin.world.__main__ import main as world
from ltr.data.image_loader import read_image

IMAGE = np.random.default_rng(0).integers(0, 256, (8, 12, 3), dtype=np.uint8)


def test_a_picture_is_read_as_it_was_written(tmp_path):
    path = write_picture(tmp_path / 'deep' / 'Wärmebild.PNG', IMAGE)
    assert np.array_equal(read_image(path), IMAGE)
    assert np.array_equal(read_image(write_picture(tmp_path / 'grey.png', IMAGE[..., 0]))[..., 1], IMAGE[..., 0])
    smooth = np.full((8, 12, 3), (200, 100, 20), np.uint8)
    near = read_image(write_picture(tmp_path / 'lossy.jpg', smooth)).astype(int) - smooth
    assert abs(near).max() < 4, 'colours in their order'


def test_a_picture_is_whole_or_not_there(tmp_path, monkeypatch):
    (tmp_path / 'file').touch()
    with pytest.raises(UserError, match=r'cannot write .*file'):
        write_picture(tmp_path / 'file' / 'a.png', IMAGE)
    kept = write_picture(tmp_path / 'a.png', IMAGE).read_bytes()
    monkeypatch.setattr('os.replace', lambda *paths: pytest.fail('killed'))
    with pytest.raises(pytest.fail.Exception):
        write_picture(tmp_path / 'a.png', IMAGE[::-1])
    assert (tmp_path / 'a.png').read_bytes() == kept and not list(tmp_path.glob('.*'))


def test_a_picture_that_is_too_large_for_its_format_is_one_line(tmp_path):
    tall = np.zeros((65_600, 1), np.uint8)
    with pytest.raises(UserError, match=r'makes no \.jpg of 1 x 65600 px; ask for a smaller picture, or for \.png'):
        write_picture(tmp_path / 'tall.jpg', tall)
    assert write_picture(tmp_path / 'tall.png', tall).is_file()


@pytest.mark.parametrize(('main', 'given'), [(cli.main, ['check-pairs', 'PAIRS']), (sheet, ['--data', 'PAIRS']),
                                             (world, [])])
def test_a_name_that_is_no_picture_is_refused_before_any_work(main, given, monkeypatch, capsys):
    monkeypatch.setattr('sys.argv', ['x', *given, '--out', 'sheet.txt'])
    with pytest.raises(SystemExit, match='2'):
        main()
    assert 'sheet.txt does not end in .png or .jpg' in capsys.readouterr().err
