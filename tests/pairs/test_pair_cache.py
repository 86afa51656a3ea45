"""Decoded pairs that are kept: the same numbers, never stale, never more than allowed."""

from __future__ import annotations

import logging
import os

import numpy as np
import pytest
import torch

from cmd_plugin.data import CenterArea, PairedDataset, PairedSampler, VisibleTwice, cross_modal_processing, paired
from cmd_plugin.data.pair_cache import HEADER, CachedPairs
from cmd_plugin.errors import UserError
from ltr.data import LTRLoader

PAIR = 8 * 12 * 6 + 8 * HEADER


@pytest.fixture
def pairs(tmp_path, write_pair):
    """Three pairs of noise, 12 x 8."""
    for number in range(3):
        write_pair('set', f'{number}.png')
    return PairedDataset(tmp_path / 'set')


@pytest.fixture
def decoded(monkeypatch):
    """Names of the RGB files that are decoded, as it happens."""
    seen, read = [], paired.read_rgb
    monkeypatch.setattr(paired, 'read_rgb', lambda path: (seen.append(path.name), read(path))[1])
    return seen


def kept(folder):
    return [path for path in folder.rglob('*') if path.is_file()]


def test_a_pair_is_decoded_once_and_is_the_same(pairs, tmp_path, decoded):
    cache = CachedPairs(pairs, tmp_path / 'cache', 1)
    first = [cache.read(index) for index in range(3)]
    assert decoded == ['0.png', '1.png', '2.png'] and len(kept(tmp_path / 'cache')) == 3
    for again in (cache, CachedPairs(pairs, tmp_path / 'cache', 1)):  # also in a later run
        for index in range(3):
            pair = again.read(index)
            assert type(pair) is np.ndarray and np.array_equal(pair, first[index]) and not pair.flags.writeable
            assert np.array_equal(pair, pairs.read(index))
    assert decoded.count('0.png') == 3  # the second and third by `pairs` itself
    assert (len(cache), cache.get_name(), cache.describe(1)) == (3, 'pairs', pairs.describe(1))
    assert f'0 of 1 MB in {tmp_path / "cache"}' in cache.summary()


@pytest.mark.parametrize('half', [0, 1])
def test_a_changed_file_is_read_anew(pairs, tmp_path, write_pair, half):
    cache = CachedPairs(pairs, tmp_path / 'cache', 1)
    old = cache.read(0)
    before = os.stat(pairs.paths(0)[half])
    other = (tmp_path / 'other').mkdir() or pairs.paths(1)[half]
    pairs.paths(0)[half].write_bytes(other.read_bytes())
    os.utime(pairs.paths(0)[half], ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    new = cache.read(0)
    assert np.array_equal(new, pairs.read(0)) and not np.array_equal(new, old)
    assert len(kept(tmp_path / 'cache')) == 1 and np.array_equal(cache.read(0), new)


@pytest.mark.parametrize('damage', [lambda data: b'', lambda data: data[:20], lambda data: data[:-1],
                                    lambda data: data + b'0', lambda data: bytes(8) + data[8:]])
def test_a_damaged_file_is_written_anew(pairs, tmp_path, damage):
    cache = CachedPairs(pairs, tmp_path / 'cache', 1)
    whole = cache.read(0)
    path, = kept(tmp_path / 'cache')
    data = path.read_bytes()
    path.unlink()
    path.write_bytes(damage(data))
    assert np.array_equal(cache.read(0), whole) and path.read_bytes() == data


def test_it_never_grows_beyond_its_size(pairs, tmp_path, decoded, monkeypatch):
    cache = CachedPairs(pairs, tmp_path / 'cache', 1)
    cache._room = 2 * PAIR + 1
    for index in (0, 1, 2, 2, 0):
        cache.read(index)
    assert sum(path.stat().st_size for path in kept(tmp_path / 'cache')) == 2 * PAIR
    assert decoded == ['0.png', '1.png', '2.png', '2.png']
    full = CachedPairs(pairs, tmp_path / 'cache', 1)
    assert full._room == 10 ** 6 - 2 * PAIR
    monkeypatch.setenv('WORLD_SIZE', '4')
    assert CachedPairs(pairs, tmp_path / 'cache', 1)._room == (10 ** 6 - 2 * PAIR) // 4


def test_a_folder_that_cannot_be_written_is_told_once(pairs, tmp_path, monkeypatch, caplog):
    cache = CachedPairs(pairs, tmp_path / 'cache', 1)

    def full(descriptor):
        raise OSError(28, 'No space left on device')
    monkeypatch.setattr(os, 'fsync', full)
    with caplog.at_level(logging.WARNING):
        for index in (0, 1, 0):
            assert np.array_equal(cache.read(index), pairs.read(index))
    assert [record.getMessage().partition('(')[2] for record in caplog.records] == ['No space left on device)']
    assert not kept(tmp_path / 'cache')


def test_errors_are_those_of_the_pairs(pairs, tmp_path):
    cache = CachedPairs(pairs, tmp_path / 'cache', 1)
    pairs.paths(1)[0].write_bytes(b'no image')
    with pytest.raises(UserError, match='cannot be decoded'):
        cache.read(1)
    pairs.paths(2)[1].unlink()
    with pytest.raises(UserError, match='cannot read image'):
        cache.read(2)


@pytest.mark.parametrize('workers', [0, 2])
def test_batches_are_the_same_bit_for_bit(pairs, tmp_path, workers):
    cache = CachedPairs(pairs, tmp_path / 'cache', 1)

    def batches(source, workers):
        sampler = PairedSampler(source, CenterArea(), 6, cross_modal_processing(output_sz=32, feature_sz=2))
        loader = LTRLoader('train', sampler, batch_size=2, num_workers=workers, stack_dim=1)
        loader.generator = torch.Generator().manual_seed(4)
        return list(loader)
    plain = batches(pairs, 0)
    for source in (cache, cache):  # empty, then full
        for ours, wanted in zip(batches(source, workers), plain, strict=True):
            tensors = {key: value for key, value in wanted.items() if isinstance(value, torch.Tensor)}
            assert len(tensors) >= 7 and all(torch.equal(ours[key], value) for key, value in tensors.items())
    assert kept(tmp_path / 'cache')
    twice = VisibleTwice(cache).read(0)
    assert np.array_equal(twice[..., 3:], pairs.read(0)[..., :3])


def test_a_folder_that_cannot_be_made_is_one_line(pairs, tmp_path):
    (tmp_path / 'file').touch()
    with pytest.raises(UserError, match=r'cannot write into .*cache: Not a directory; .*leave CMD_CACHE_MB out'):
        CachedPairs(pairs, tmp_path / 'file' / 'cache', 1)
