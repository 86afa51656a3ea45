"""`check-pairs` finds each mistake by itself, and nothing in a sound set."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from cmd_plugin import cli
from cmd_plugin.check_pairs.survey import survey
from cmd_plugin.data.paired import PairedDataset
from cmd_plugin.errors import UserError
from tests.faults.pair_scenes import HEIGHT, WIDTH, scene, write_pair


@pytest.fixture(scope='module')
def sound(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp('sound') / 'pairs'
    for number in range(6):
        write_pair(root, f'{"abcdef"[number]}.png', *scene(number))
    return root


@pytest.fixture
def pairs(tmp_path, sound) -> Path:
    return Path(shutil.copytree(sound, tmp_path / 'pairs'))


@pytest.fixture
def check(tmp_path, capsys):
    """`check(pairs, ...)`: exit status and what is printed."""
    def run(*arguments: object) -> tuple[int, str]:
        status = cli.main(['check-pairs', *map(str, arguments), '--out', str(tmp_path / 'worst.png')])
        return status, capsys.readouterr().out
    return run


def test_a_sound_set(check, sound, tmp_path):
    status, text = check(sound)
    assert status == 0 and '6 pairs: 0 wrong, 0 notes' in text and 'wrong ' not in text
    assert (tmp_path / 'worst.png').is_file()  # the largest shifts, to see how good the set is


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-30])


def swap(root: Path, name: str) -> None:
    one, other = root / 'visible' / name, root / 'infrared' / name
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)


def smaller(path: Path) -> None:
    assert cv2.imwrite(str(path), cv2.imread(str(path))[:-8])


@pytest.mark.parametrize(('kind', 'spoil', 'says'), [
    ('unusable', lambda root: cut(root / 'infrared' / 'b.png'), 'b.png is cut short'),
    ('unusable', lambda root: (root / 'visible' / 'b.png').write_bytes(b''), 'b.png is an empty file'),
    ('unusable', lambda root: smaller(root / 'visible' / 'b.png'), 'pair of unequal size'),
    ('blank', lambda root: write_pair(root, 'b.png', scene(1)[0], np.full((HEIGHT, WIDTH), 40, np.uint8)), 'TIR shows'),
    ('swapped', lambda root: swap(root, 'b.png'), 'the RGB file is grey and the TIR file is in colour'),
    ('misaligned', lambda root: write_pair(root, 'b.png', *scene(1, (7.0, -5.0))), 'px beside RGB ('),
    ('duplicate', lambda root: write_pair(root, 'copy of b.png', *scene(1)), 'visible/b.png shows'),
])
def test_each_mistake_is_found_and_no_other(check, pairs, tmp_path, kind, spoil, says):
    spoil(pairs)
    status, text = check(pairs, '--csv', tmp_path / 'all.csv')
    wrong = [line for line in text.splitlines() if line.startswith('wrong')]
    assert status == 1 and len(wrong) == 1 and wrong[0].startswith(f'wrong  {kind}: ') and says in wrong[0]
    head, row = (line.split() for line in text.splitlines()[:2])
    assert dict(zip(head, row, strict=True))[kind] == '1' and ': 1 wrong' in text
    with open(tmp_path / 'all.csv', newline='') as file:
        rows = list(csv.DictReader(file))
    assert [row['wrong'] for row in rows if row['wrong']] == [kind] and len(rows) == len(PairedDataset(pairs))


def test_frames_of_a_video_are_a_note(check, tmp_path):
    for number in range(5):
        write_pair(tmp_path / 'v', f'clip_{number:03d}.png', *scene(3, moved=number))
    write_pair(tmp_path / 'v', 'other_000.png', *scene(9))
    status, text = check(tmp_path / 'v')
    assert status == 0 and '4 pairs look like the one before them: frames of a video' in text
    assert check(tmp_path / 'v', '--strict')[0] == 1


def test_pairs_that_the_evaluation_shows(check, pairs, tmp_path):
    """At another size and quality, and one frame on."""
    test = tmp_path / 'test' / 'seq' / 'img'
    test.mkdir(parents=True)
    assert cv2.imwrite(str(test / '0001.jpg'), cv2.resize(scene(2, moved=1)[1], (320, 240)),
                       [cv2.IMWRITE_JPEG_QUALITY, 60])
    assert cv2.imwrite(str(test / '0002.jpg'), scene(77)[1])
    (test / '0003.jpg').write_bytes(b'')
    status, text = check(pairs, '--against', tmp_path / 'test')
    assert status == 1 and 'wrong  leak: ' in text and 'visible/c.png: shows what the evaluation frame' in text
    assert '0001.jpg shows' in text and '6 pairs: 1 wrong, 1 notes' in text
    assert '1 of 3 evaluation frames could not be read' in text


def test_a_training_sequence_that_is_known_to_be_in_benchmarks(check, sound, tmp_path):
    shutil.copytree(sound, tmp_path / 'train' / 'TIR_training_002')
    status, text = check(tmp_path / 'train')
    assert status == 0 and 'note   6 pairs are of TIR_training_002, which was cut from an RGB-thermal benchmark' in text
    for half in ('visible', 'infrared'):
        (tmp_path / 'rgbt' / 'seq' / half).mkdir(parents=True)
        assert cv2.imwrite(str(tmp_path / 'rgbt' / 'seq' / half / '1.png'), scene(60)[1])
    status, text = check(tmp_path / 'train', '--against', tmp_path / 'rgbt')
    assert status == 1 and 'wrong  leak: ' in text and 'TIR_training_002 was cut from' in text and ': 6 wrong' in text
    next((tmp_path / 'train').rglob('visible/a.png')).write_bytes(b'')
    status, text = check(tmp_path / 'train', '--against', tmp_path / 'rgbt')
    assert status == 1 and 'is an empty file' in text and 'picture: ' in text and ': 6 wrong' in text


def test_side_by_side_images(check, tmp_path):
    rgb, tir = scene(4)
    (tmp_path / 'side_by_side').mkdir()
    grey = np.repeat(tir[..., None], 3, axis=2)
    assert cv2.imwrite(str(tmp_path / 'side_by_side' / 'a.png'), np.concatenate([rgb[..., ::-1], grey], axis=1))
    assert check(tmp_path)[0] == 0
    assert cv2.imwrite(str(tmp_path / 'side_by_side' / 'a.png'), np.concatenate([grey, rgb[..., ::-1]], axis=1))
    status, text = check(tmp_path)
    assert status == 1 and 'wrong  swapped' in text


def test_the_picture_shows_ten_rows(check, pairs, tmp_path):
    for number in range(12):
        write_pair(pairs, f'm{number}.png', *scene(20 + number, (5 + number, 0.0)))
    swap(pairs, 'a.png')
    assert check(pairs)[0] == 1
    image = cv2.imread(str(tmp_path / 'worst.png'))
    assert image.shape == (10 * (240 + 18), 4 * 320, 3) and image.std() > 20


def test_threads_change_nothing(sound):
    one, other = (survey(PairedDataset(sound), threads) for threads in (1, 4))
    np.testing.assert_allclose(one.shifts, other.shifts, atol=1e-4)  # transforms of other memory differ in the last bit
    np.testing.assert_array_equal(one.colours, other.colours)
    np.testing.assert_array_equal(one.hashes, other.hashes)


def test_bad_input(check, sound, tmp_path):
    for arguments, says in (((tmp_path / 'gone',), 'no such folder'), ((tmp_path,), 'no RGB-TIR pair found'),
                            ((sound, '--against', tmp_path / 'gone'), '--against: no folder'),
                            ((sound, '--against', tmp_path), '--against: no image below')):
        with pytest.raises(UserError, match=says):
            check(*arguments)
    (tmp_path / 'file').write_text('')
    with pytest.raises(UserError, match='cannot write'):
        cli.main(['check-pairs', str(sound), '--out', str(tmp_path / 'file' / 'x.png')])
    for wrong in (('--shift', '-1'), ('--threads', '0')):
        with pytest.raises(SystemExit):
            check(sound, *wrong)
