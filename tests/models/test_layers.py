"""Layers against independent statements of what they compute."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from ltr.models.layers.activation import ScoreActivation
from ltr.models.layers.distance import DistanceMap
from ltr.models.layers.filter import apply_feat_transpose, apply_filter
from ltr.models.layers.normalization import InstanceL2Norm
from ltr.models.layers.prroi_pool import prroi_pool, prroi_pool_boxes


def rand(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


class TestPrRoI:
    def test_gradcheck_in_features_and_boxes(self):
        feat = rand(2, 2, 5, 6).requires_grad_()
        rois = torch.tensor([[0, 3.3, 5.1, 30.2, 24.9], [1, -10, 3.7, 17, 60.1]], dtype=torch.float64)
        boxes = rois[:, 1:].clone().requires_grad_()
        assert torch.autograd.gradcheck(
            lambda f, b: prroi_pool(f, torch.cat((rois[:, :1], b), dim=1), 3, 1 / 8), (feat, boxes))

    def test_against_quadrature(self):
        feat, box = rand(1, 1, 6, 7), (1.3, 0.4, 5.2, 4.9)
        bins, steps = 2, 400
        out = prroi_pool_boxes(feat, torch.tensor([[box]], dtype=torch.float64), bins, 1.0)[0, 0, 0]
        fine = (torch.arange(bins * steps, dtype=torch.float64) + 0.5) / (bins * steps)
        xs, ys = box[0] + fine * (box[2] - box[0]), box[1] + fine * (box[3] - box[1])
        hat = [(1 - (t[:, None] - torch.arange(n)).abs()).clamp(min=0) for t, n in ((ys, 6), (xs, 7))]
        sampled = hat[0] @ feat[0, 0] @ hat[1].T
        expected = sampled.reshape(bins, steps, bins, steps).mean(dim=(1, 3))
        torch.testing.assert_close(out, expected, rtol=0, atol=2e-5)

    def test_no_area_gives_zero_and_finite_gradients(self):
        feat = rand(1, 2, 4, 4).requires_grad_()
        boxes = torch.tensor([[[1., 1, 1, 3], [3, 3, 1, 1]]], dtype=torch.float64, requires_grad=True)
        out = prroi_pool_boxes(feat, boxes, 2, 1.0)
        assert (out == 0).all()
        out.sum().backward()
        assert feat.grad.isfinite().all() and boxes.grad.isfinite().all()


class TestFilter:
    @settings(max_examples=25, deadline=None)
    @given(n=st.integers(1, 3), q=st.integers(1, 3), k=st.integers(1, 5), h=st.integers(5, 8), w=st.integers(5, 8))
    def test_matches_cross_correlation_and_its_transpose(self, n, q, k, h, w):
        feat, weights = rand(n, q, 3, h, w), rand(q, 3, k, k, seed=1)
        expected = torch.stack([functional.conv2d(feat[:, i], weights[i:i + 1], padding=k // 2)[:, 0]
                                for i in range(q)], dim=1)
        scores = apply_filter(feat, weights)
        torch.testing.assert_close(scores, expected)
        cotangent = rand(*scores.shape, seed=2)
        variable = weights.clone().requires_grad_()
        (apply_filter(feat, variable) * cotangent).sum().backward()
        torch.testing.assert_close(apply_feat_transpose(feat, cotangent, k), variable.grad)


def test_distance_map_is_interpolation_of_hat_functions():
    bins, delta, size = 7, 0.6, (5, 6)
    centre, tables = rand(3, 2) + 2, rand(2, bins, seed=1)
    rows, cols = torch.meshgrid(torch.arange(5.), torch.arange(6.), indexing='ij')
    d = ((rows - centre[:, 0, None, None]) ** 2 + (cols - centre[:, 1, None, None]) ** 2).sqrt() / delta
    hats = [(1 - (d - m).abs()).clamp(min=0) for m in range(bins - 1)] + [(1 + d - (bins - 1)).clamp(0, 1)]
    expected = torch.einsum('tn,nmhw->tmhw', tables, torch.stack(hats))
    torch.testing.assert_close(DistanceMap(bins, delta)(centre, size, tables), expected)


@pytest.mark.parametrize('kind', ['relu', 'bentpar'])
def test_score_activation_derivative(kind):
    act, mask = ScoreActivation(kind, 0.5), torch.sigmoid(rand(9))
    scores = rand(9, seed=1).requires_grad_()
    act(scores, mask).sum().backward()
    torch.testing.assert_close(act.derivative(scores, mask), scores.grad)


def test_instance_norm():
    out = InstanceL2Norm(scale=0.5)(rand(3, 4, 5, 6))
    torch.testing.assert_close(out.square().mean(dim=(1, 2, 3)), torch.full((3,), 0.25, dtype=torch.float64),
                               rtol=1e-5, atol=0)
    single = InstanceL2Norm(size_average=False)(rand(1, 4, 5, 6))
    assert math.isclose(float(single.square().sum()), 1, rel_tol=1e-5)
