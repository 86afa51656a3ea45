"""`check-pairs` finds each mistake by itself, and nothing in a sound set."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from cmd_plugin import cli
from cmd_plugin.check_pairs.looks import colourfulness, perceptual_hash
from cmd_plugin.check_pairs.near import BITS, bits_apart, nearest_before
from cmd_plugin.check_pairs.registration import measure_shift
from cmd_plugin.check_pairs.survey import survey
from cmd_plugin.data.paired import PairedDataset
from cmd_plugin.errors import UserError

HEIGHT, WIDTH = 192, 256


def scene(seed: int, shift: tuple[float, float] = (0.0, 0.0), moved: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """RGB and TIR of a scene of ellipses: the edges are the same, brightness is not; TIR lies `shift` px beside RGB."""
    rng = np.random.default_rng(seed)
    rgb, tir = np.full((HEIGHT, WIDTH, 3), 90, np.uint8), np.full((HEIGHT, WIDTH), 110, np.uint8)
    for number in range(60):
        centre = (int(rng.integers(WIDTH) + moved * (number == 59)), int(rng.integers(HEIGHT)))
        shape = (centre, (int(rng.integers(6, 30)), int(rng.integers(6, 30))), float(rng.uniform(0, 180)), 0, 360)
        cv2.ellipse(rgb, *shape, tuple(map(int, rng.integers(0, 256, 3))), -1, cv2.LINE_AA)
        cv2.ellipse(tir, *shape, int(rng.integers(0, 256)), -1, cv2.LINE_AA)
    matrix = np.array([[1, 0, shift[0]], [0, 1, shift[1]]], np.float32)
    tir = cv2.warpAffine(cv2.GaussianBlur(tir, (0, 0), 1), matrix, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT)
    noise = rng.normal(0, 3, tir.shape)
    return rgb, (tir + noise).clip(0, 255).astype(np.uint8)


def write_pair(root: Path, name: str, rgb: np.ndarray, tir: np.ndarray) -> None:
    for half, image in (('visible', rgb[..., ::-1]), ('infrared', tir)):
        (root / half).mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(root / half / name), image)


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


@pytest.mark.parametrize('shift', [(0, 0), (6.5, -3.25), (-11, 4.5), (0.4, 0.3), (45, -20), (-38, 30)])
def test_the_shift_is_measured_to_a_fraction_of_a_pixel(shift):
    for seed in (0, 1):
        rgb, tir = scene(seed, shift)
        found = measure_shift(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), tir)
        assert (found.dx, found.dy) == pytest.approx(shift, abs=0.35) and found.agreement > 0.2


def test_halves_of_different_scenes_have_no_shift():
    told = []
    for seed in range(8):
        grey = cv2.cvtColor(scene(seed)[0], cv2.COLOR_RGB2GRAY)
        told.append(not np.isnan(measure_shift(grey, scene(seed + 50)[1]).dx))
    assert sum(told) <= 1
    flat = np.full((HEIGHT, WIDTH), 9, np.uint8)
    for one, other in ((grey, flat), (flat, flat), (grey[:20, :20], grey[:20, :20])):
        assert np.isnan(measure_shift(one, other).dx)


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


def test_near_hashes_are_found_as_by_comparing_all():
    rng = np.random.default_rng(0)
    hashes = rng.integers(1, 2 ** 63, (300, 1), dtype=np.uint64)
    for late, early, bits in ((200, 10, 0), (201, 11, 1), (202, 12, 3), (299, 0, 2)):
        hashes[late] = hashes[early] ^ np.uint64(sum(1 << int(bit) for bit in rng.choice(64, bits, replace=False)))
    partner = nearest_before(hashes, lambda early, late: np.ones(len(early), bool))
    apart = bits_apart(hashes[:, None], hashes[None])[..., 0]
    expected = {late: early for late in range(300) for early in range(late) if apart[late, early] <= BITS}
    assert {late: int(partner[late]) for late in np.flatnonzero(partner >= 0).tolist()} == expected
    assert set(expected) == {200, 201, 202, 299}


def test_hash_and_colour():
    rgb, tir = scene(5)
    small = cv2.resize(tir, (100, 80), interpolation=cv2.INTER_AREA)
    first, second, third = (perceptual_hash(image) for image in (tir, small, scene(6)[1]))
    assert bits_apart(np.array([first]), np.array([second]))[0] <= BITS < bits_apart(np.array([first]),
                                                                                       np.array([third]))[0]
    assert colourfulness(np.repeat(tir[..., None], 3, axis=2)) == pytest.approx(0, abs=1e-4) and colourfulness(rgb) > 15


@pytest.mark.slow
@pytest.mark.parametrize(('name', 'low', 'high', 'told'), [
    ('roadscene', 0.0, 1.0, 0.95), ('m3svd', 0.0, 0.6, 0.99), ('msrs', 1.4, 2.6, 0.85), ('tno', 2.0, 5.0, 0.8)])
def test_real_pairs_have_the_shifts_that_are_known(shared_data, name, low, high, told):
    """Median distance, px, as the folder's own description says; one pair in three."""
    dataset = PairedDataset(shared_data / 'pairs' / name)
    lengths = np.hypot(*survey(dataset, 2).shifts[::3, :2].T)
    assert (~np.isnan(lengths)).mean() >= told and low <= np.nanmedian(lengths) <= high
