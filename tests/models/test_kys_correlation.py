"""Cost volumes: loops over cells are the truth; then shifts, gradients, and what an installed operator may do."""

from __future__ import annotations

import importlib.util
import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ltr.admin.errors import UserError
from ltr.models.layers import correlation
from ltr.models.layers.correlation import (
    cost_volume,
    difference,
    gather,
    inside,
    operator_for,
    plain_cost_volume,
    transpose_volume,
)

CPU = torch.device('cpu')


@pytest.fixture
def fresh():
    """What was found out about the installed package is forgotten before and after."""
    operator_for.cache_clear()
    yield
    operator_for.cache_clear()


def maps(*shape: int, seed: int = 0, dtype=torch.float64) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def entries(d: int, height: int, width: int):
    """Indices (i, j, y, x) of a volume and the other cell (v, u), for all pairs of cells that exist."""
    for i, j, y, x in itertools.product(range(2 * d + 1), range(2 * d + 1), range(height), range(width)):
        v, u = y + i - d, x + j - d
        if 0 <= v < height and 0 <= u < width:
            yield (i, j, y, x), (v, u)


def by_loops(first: torch.Tensor, second: torch.Tensor, d: int) -> torch.Tensor:
    batch, _, height, width = first.shape
    volume = torch.zeros(batch, 2 * d + 1, 2 * d + 1, height, width, dtype=first.dtype)
    for (i, j, y, x), (v, u) in entries(d, height, width):
        volume[:, i, j, y, x] = (first[:, :, y, x] * second[:, :, v, u]).sum(dim=1)
    return volume


sizes = st.tuples(st.integers(1, 2), st.integers(1, 3), st.integers(1, 4), st.integers(1, 4), st.integers(0, 5))


@settings(max_examples=8, deadline=None)
@given(sizes)
def test_as_loops_over_cells_also_where_the_window_is_larger_than_the_map(size):
    batch, channels, height, width, d = size
    first, second = maps(2, batch, channels, height, width)
    volume = plain_cost_volume(first, second, d)
    assert volume.shape == (batch, 2 * d + 1, 2 * d + 1, height, width) and volume.is_contiguous()
    torch.testing.assert_close(volume, by_loops(first, second, d))
    torch.testing.assert_close(cost_volume(first, second, d), volume)


@settings(max_examples=8, deadline=None)
@given(sizes)
def test_the_transpose_is_the_volume_of_the_other_map(size):
    batch, channels, height, width, d = size
    first, second = maps(2, batch, channels, height, width)
    torch.testing.assert_close(transpose_volume(plain_cost_volume(first, second, d)),
                               plain_cost_volume(second, first, d))


def test_which_entries_exist():
    known = inside(2, 3, 4, CPU)
    expected = torch.zeros(5, 5, 3, 4, dtype=torch.bool)
    for index, _ in entries(2, 3, 4):
        expected[index] = True
    assert torch.equal(known, expected)


def test_weighted_sums_as_loops():
    weights, values = maps(2, 5, 5, 3, 4), maps(2, 3, 3, 4, seed=1)
    expected = torch.zeros(2, 3, 3, 4, dtype=torch.float64)
    for (i, j, y, x), (v, u) in entries(2, 3, 4):
        expected[:, :, y, x] += weights[:, None, i, j, y, x] * values[:, :, v, u]
    torch.testing.assert_close(gather(weights, values), expected)


def test_gradients():
    first, second = (maps(2, 2, 3, 4, seed=seed).requires_grad_() for seed in (0, 1))
    assert torch.autograd.gradcheck(lambda a, b: plain_cost_volume(a, b, 2), (first, second))
    assert torch.autograd.gradgradcheck(lambda a, b: plain_cost_volume(a, b, 1), (first, second))
    volume, values = maps(1, 3, 3, 3, 4).requires_grad_(), maps(1, 2, 3, 4).requires_grad_()
    assert torch.autograd.gradcheck(transpose_volume, (volume,))
    assert torch.autograd.gradcheck(gather, (volume, values))


@pytest.mark.parametrize('shift', [(0, 0), (2, -1), (-3, 3)])
def test_a_shift_of_the_map_is_the_displacement_of_the_best_match(shift):
    """Cells are random unit vectors; those whose place in the shifted map is inside it find themselves."""
    first = torch.nn.functional.normalize(maps(1, 32, 9, 8), dim=1)
    second = first.roll(shift, dims=(2, 3))
    best = plain_cost_volume(first, second, 3)[0].flatten(0, 1).argmax(dim=0)
    stay = inside(3, 9, 8, CPU)[3 + shift[0], 3 + shift[1]]
    assert stay.sum() >= 30
    assert (best[stay] == (3 + shift[0]) * 7 + 3 + shift[1]).all()


@pytest.mark.skipif(not torch.cuda.is_available(), reason='no GPU')
def test_the_gpu_agrees():
    first, second = maps(2, 2, 64, 19, 19, dtype=torch.float32)
    on_gpu = plain_cost_volume(first.cuda(), second.cuda(), 9)
    torch.testing.assert_close(on_gpu.cpu(), plain_cost_volume(first, second, 9), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(transpose_volume(on_gpu).cpu(), transpose_volume(on_gpu.cpu()))


STUB = '''
import torch

def spatial_correlation_sample(input1, input2, kernel_size=1, patch_size=1, stride=1, padding=0, dilation=1,
                               dilation_patch=1):
    assert (kernel_size, stride, padding, dilation, dilation_patch) == (1, 1, 0, 1, 1)
    d = patch_size // 2
    windows = torch.nn.functional.unfold(input2, patch_size, padding=d)
    windows = windows.reshape(*input2.shape[:2], patch_size, patch_size, *input2.shape[2:])
    return FACTOR * torch.einsum('bchw,bcijhw->bijhw', input1, windows)
'''


def install(folder, monkeypatch, text: str) -> None:
    (folder / f'{correlation.MODULE}.py').write_text(text)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(__import__('sys').modules, correlation.MODULE, raising=False)


@pytest.mark.usefixtures('fresh')
class TestInstalledOperator:
    def test_none_is_needed(self, monkeypatch):
        monkeypatch.setattr(importlib.util, 'find_spec', lambda name: None)
        assert operator_for('cpu') is None and operator_for('cuda') is None

    def test_devices_without_a_kernel_have_the_plain_one(self, tmp_path, monkeypatch):
        install(tmp_path, monkeypatch, STUB.replace('FACTOR', '1'))
        assert operator_for('mps') is None

    def test_it_is_used(self, tmp_path, monkeypatch):
        install(tmp_path, monkeypatch, STUB.replace('FACTOR', '(1 + 1e-7)'))
        first, second = maps(2, 2, 5, 4, 6)
        found, plain = cost_volume(first, second, 3), plain_cost_volume(first, second, 3)
        torch.testing.assert_close(found, plain, rtol=1e-5, atol=1e-5)
        assert not torch.equal(found, plain), 'the stub was asked'

    @pytest.mark.parametrize(('text', 'said'), [
        (STUB.replace('FACTOR', '0.2'), 'differs from its definition by'),
        (STUB.replace('FACTOR * ', '').replace('bijhw\'', 'bjihw\''), 'differs from its definition by'),
        (STUB.replace('return FACTOR * ', 'return torch.zeros(1) + 0 * '), 'differs from its definition by'),
        ('raise ImportError("undefined symbol:\\n_ZN2at")', r'cannot be used \(undefined symbol: _ZN2at\)'),
        ('', 'cannot be used .*no attribute')])
    def test_another_result_or_a_broken_build_is_an_error_not_a_silent_change(self, tmp_path, monkeypatch, text, said):
        install(tmp_path, monkeypatch, text)
        with pytest.raises(UserError, match=f'{said}.*pip uninstall spatial-correlation-sampler'):
            cost_volume(*maps(2, 1, 2, 3, 3), 1)

    @pytest.mark.skipif(importlib.util.find_spec(correlation.MODULE) is None,
                        reason=f'{correlation.MODULE} is not installed')
    def test_the_real_one_agrees(self):
        compiled = operator_for('cpu')
        first, second = torch.nn.functional.normalize(maps(2, 2, 64, 19, 19, dtype=torch.float32), dim=2)
        torch.testing.assert_close(compiled(first, second, 9), plain_cost_volume(first, second, 9), rtol=0, atol=1e-5)
        assert difference(compiled, CPU) < correlation.TOLERANCE
