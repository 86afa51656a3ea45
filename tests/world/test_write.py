"""Generated worlds on disk: layouts of real data, reuse of what is finished, remaking of what is not."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from cmd_plugin.world import contact_sheet, render, write_pairs, write_video
from ltr.admin.errors import UserError

SMALL = {'seed': 0, 'sequences': 2, 'length': 3, 'size': (96, 72), 'progress': False}
PAIRS = {'seed': 0, 'pairs': 5, 'size': (96, 72), 'progress': False}


def digest(root: Path) -> dict[str, bytes]:
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in sorted(root.rglob('*')) if p.is_file()}


@pytest.mark.parametrize('modality', ['rgb', 'tir'])
def test_video_layout(tmp_path: Path, modality: str) -> None:
    root = write_video(tmp_path / 'deep' / 'world', modality, **SMALL)
    sequences = sorted(p for p in root.iterdir() if p.is_dir())
    assert len(sequences) == 2
    assert [p.name for p in (tmp_path / 'deep').iterdir()] == ['world'], 'nothing is left beside the folder'
    for index, folder in enumerate(sorted(sequences, key=lambda p: p.name.rsplit('_', 1)[1])):
        assert folder.name.rsplit('_', 1)[1] == f'{index:03d}'
        assert sorted(p.name for p in (folder / 'img').iterdir()) == ['0001.jpg', '0002.jpg', '0003.jpg']
        lines = (folder / 'groundtruth_rect.txt').read_text().splitlines()
        boxes = np.array([[float(v) for v in line.split(',')] for line in lines])
        clip = render(0, 3, (96, 72), purpose=f'video/{modality}/train', index=index)
        assert np.abs(boxes - clip.boxes).max() <= 0.005 + 1e-9
        for t in range(3):
            image = cv2.imread(str(folder / 'img' / f'{t + 1:04d}.jpg'), cv2.IMREAD_UNCHANGED)
            want = clip.rgb[t][..., ::-1] if modality == 'rgb' else clip.tir[t]
            assert image.shape == want.shape
            assert np.abs(image.astype(int) - want.astype(int)).mean() < 6


def test_pairs_layout(tmp_path: Path) -> None:
    root = write_pairs(tmp_path / 'pairs', **PAIRS)
    names = [sorted(p.name for p in (root / twin).iterdir()) for twin in ('visible', 'infrared')]
    assert names[0] == names[1] and len(names[0]) == 5
    for name in names[0]:
        paths = (root / 'visible' / name, root / 'infrared' / name)
        rgb, tir = (cv2.imread(str(path), cv2.IMREAD_UNCHANGED) for path in paths)
        assert rgb.shape == (72, 96, 3) and tir.shape == (72, 96)
        assert tir.std() > 4 and rgb.std() > 1, 'something is to be seen'


def test_pairs_hold_something_in_the_centre(tmp_path: Path) -> None:
    root = write_pairs(tmp_path / 'pairs', seed=1, pairs=12, size=(120, 90), per_scene=1, progress=False)
    textured = 0
    for path in (root / 'infrared').iterdir():
        tir = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        textured += tir[36:54, 51:69].std() > 0.25 * tir.std()
    assert textured >= 6


def test_same_seed_same_files_and_purposes_are_disjoint(tmp_path: Path) -> None:
    a, b = (write_video(tmp_path / name, 'rgb', **SMALL) for name in 'ab')
    assert digest(a) == digest(b)
    other = write_video(tmp_path / 'c', 'rgb', split='val', **SMALL)
    tir = write_video(tmp_path / 'd', 'tir', **SMALL)
    truths = [{p.read_text() for p in root.rglob('groundtruth_rect.txt')} for root in (a, other, tir)]
    assert not truths[0] & truths[1] and not truths[0] & truths[2]


def test_finished_folder_is_reused(tmp_path: Path) -> None:
    root = write_video(tmp_path / 'world', 'tir', **SMALL)
    stamps = {p: p.stat().st_mtime_ns for p in root.rglob('*')}
    calls: list[tuple[int, int]] = []
    write_video(root, 'tir', **(SMALL | {'progress': lambda done, total: calls.append((done, total))}))
    assert not calls and stamps == {p: p.stat().st_mtime_ns for p in root.rglob('*')}


def test_half_written_folder_is_made_again(tmp_path: Path) -> None:
    root = write_video(tmp_path / 'world', 'tir', **SMALL)
    whole = digest(root)
    next(root.rglob('0002.jpg')).unlink()
    assert digest(write_video(root, 'tir', **SMALL)) == whole
    (root / 'world.json').write_text('{"version": ')
    assert digest(write_video(root, 'tir', **SMALL)) == whole


@pytest.mark.parametrize('change', [{'seed': 1}, {'length': 2}, {'split': 'val'}])
def test_other_arguments_make_it_again(tmp_path: Path, change: dict) -> None:
    root = tmp_path / 'world'
    first = digest(write_video(root, 'tir', **SMALL))
    assert digest(write_video(root, 'tir', **(SMALL | change))) != first


def test_an_older_version_is_made_again(tmp_path: Path) -> None:
    root = write_pairs(tmp_path / 'world', **PAIRS)
    mark = json.loads((root / 'world.json').read_text())
    (root / 'world.json').write_text(json.dumps(mark | {'version': -1}))
    write_pairs(root, **PAIRS)
    assert json.loads((root / 'world.json').read_text()) == mark


def test_interrupted_run_leaves_no_folder(tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_pairs(tmp_path / 'world', **(PAIRS | {'progress': stop}))
    assert list(tmp_path.iterdir()) == []


def test_remains_of_killed_runs_are_swept(tmp_path: Path) -> None:
    old, young = tmp_path / '.world.partial-old', tmp_path / '.world.partial-young'
    for folder in (old, young):
        (folder / 'infrared').mkdir(parents=True)
    long_ago = time.time() - 7200
    os.utime(old, (long_ago, long_ago))
    write_pairs(tmp_path / 'world', **PAIRS)
    assert not old.exists() and young.exists(), 'a young one may belong to a run at work'


def test_foreign_files_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / 'holiday.jpg').write_bytes(b'mine')
    with pytest.raises(UserError, match='not generated'):
        write_video(tmp_path, 'rgb', **SMALL)
    assert (tmp_path / 'holiday.jpg').read_bytes() == b'mine'
    with pytest.raises(UserError, match='is a file'):
        write_pairs(tmp_path / 'holiday.jpg', **PAIRS)


def test_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / 'world').mkdir()
    assert (write_pairs(tmp_path / 'world', **PAIRS) / 'world.json').is_file()


@pytest.mark.parametrize('bad', [{'modality': 'depth'}, {'sequences': 0}, {'length': 0}, {'seed': -1}])
def test_bad_arguments(tmp_path: Path, bad: dict) -> None:
    with pytest.raises(ValueError):
        write_video(tmp_path / 'world', **({'modality': 'rgb'} | SMALL | bad))
    assert list(tmp_path.iterdir()) == []


def test_progress_counts_and_bar_shows_time_left(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    calls: list[tuple[int, int]] = []
    write_pairs(tmp_path / 'a', **(PAIRS | {'progress': lambda done, total: calls.append((done, total))}))
    assert calls == [(1, 2), (2, 2)]
    assert capsys.readouterr().err == ''
    write_pairs(tmp_path / 'b', **(PAIRS | {'progress': True}))
    assert 'world b' in capsys.readouterr().err


def test_contact_sheet() -> None:
    sheet = contact_sheet(0, clips=2, frames=3, length=3, size=(96, 72), scale=2)
    assert sheet.shape == (2 * 2 * 72 * 2, 3 * 96 * 2, 3) and sheet.dtype == np.uint8
    assert (sheet == (60, 255, 60)).all(axis=2).any(), 'boxes are drawn'
