"""The response predictor: states follow what they belong to, stay bounded, and say how sure their place is."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ltr.models.kys.gru import ConvGRU
from ltr.models.kys.propagation import StatePropagation
from ltr.models.kys.response import ResponsePredictor, Scene
from ltr.models.loss.lost_track import LostTrackHinge


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


class TestPropagation:
    @torch.no_grad()
    @pytest.mark.parametrize('shift', [(0, 0), (1, -2), (-3, 1)])
    def test_states_follow_a_shift_exactly(self, shift):
        """Every cell is found again (the map is rolled, and all of it is in reach), at certain matches."""
        features, states = random(1, 64, 6, 5), random(1, 3, 6, 5, seed=1)
        moved, confidence = StatePropagation(5, sharpness=1e4)(features, features.roll(shift, (2, 3)), states)
        assert torch.equal(moved, states.roll(shift, (2, 3)))
        assert torch.equal(confidence, torch.ones(1, 1, 6, 5))

    @torch.no_grad()
    def test_only_directions_of_features_count(self):
        features, states = random(2, 64, 6, 5), random(2, 3, 6, 5, seed=1)
        propagation = StatePropagation(3)
        once = propagation(features[:1], features[1:], states[:1])
        again = propagation(5 * features[:1], features[1:] * (1 + random(1, 1, 6, 5).abs()), states[:1])
        torch.testing.assert_close(once, again, rtol=1e-4, atol=1e-5)

    @torch.no_grad()
    def test_weights_are_a_distribution_over_cells_that_exist(self):
        log_weights, known = StatePropagation(2).match(random(2, 8, 4, 3), random(2, 8, 4, 3, seed=1))
        weights = log_weights.exp()
        torch.testing.assert_close(weights.sum(dim=(1, 2)), torch.ones(2, 4, 3))
        assert (weights[:, ~known] == 0).all() and (weights[:, known] > 0).all()

    @torch.no_grad()
    def test_nothing_is_known_of_cells_that_are_all_alike(self):
        """All previous cells in reach have the same weight, and the state becomes their mean; borders differ a bit."""
        states = random(1, 2, 6, 7)
        moved, confidence = StatePropagation(1)(torch.ones(1, 3, 6, 7), torch.ones(1, 3, 6, 7), states)
        assert confidence[0, 0, 2, 3].item() == pytest.approx(-1, abs=1e-5)
        torch.testing.assert_close(moved[0, :, 2, 3], states[0, :, 1:4, 2:5].mean(dim=(1, 2)), rtol=1e-4, atol=1e-4)
        assert confidence.min() >= -1 - 1e-5 and confidence.max() < 0

    @torch.no_grad()
    def test_a_cell_that_was_not_there_before_is_not_trusted(self):
        features = random(1, 64, 7, 7)
        current = features.clone()
        current[:, :, 3, 3] = random(64, seed=5)
        _, confidence = StatePropagation(2, sharpness=40)(features, current, random(1, 2, 7, 7))
        new = confidence[0, 0, 3, 3].item()
        assert new < -0.9 and (confidence[0, 0] > 0.9).sum() == 48

    @settings(max_examples=15, deadline=None)
    @given(st.integers(0, 1000), st.floats(0.1, 100))
    def test_states_stay_within_those_of_the_frame_before(self, seed, sharpness):
        states = random(1, 2, 4, 5, seed=seed)
        propagation = StatePropagation(2, sharpness=sharpness)
        torch.nn.init.normal_(propagation.forward_matches.conv2.weight)
        with torch.no_grad():
            moved, confidence = propagation(random(1, 4, 4, 5, seed=seed + 1), random(1, 4, 4, 5, seed=seed), states)
        assert moved.max() <= states.max() + 1e-5 and moved.min() >= states.min() - 1e-5
        assert confidence.abs().max() <= 1 + 1e-4

    def test_gradient(self):
        propagation = StatePropagation(1, hidden=2, sharpness=3).double()
        for refinement in (propagation.forward_matches, propagation.backward_matches):
            torch.nn.init.normal_(refinement.conv2.weight)
        inputs = [random(1, 2, 3, 3, seed=seed).double().requires_grad_() for seed in range(3)]
        assert torch.autograd.gradcheck(propagation, inputs)
        states, confidence = propagation(*inputs)
        (states.sum() + confidence.sum()).backward()
        assert all(p.grad is not None and p.grad.isfinite().all() for p in propagation.parameters())

    def test_certain_matches_have_finite_gradients(self):
        features = random(1, 8, 4, 4).requires_grad_()
        states, confidence = StatePropagation(2, sharpness=1e5)(features, features.detach(), random(1, 1, 4, 4))
        (states.sum() + confidence.sum()).backward()
        assert features.grad.isfinite().all()

    def test_it_reaches_somewhere(self):
        with pytest.raises(ValueError, match='max_displacement must be 1 or more'):
            StatePropagation(0)


@torch.no_grad()
@settings(max_examples=15, deadline=None)
@given(st.floats(0, 1000), st.integers(0, 1000))
def test_recurrent_states_stay_in_range(scale, seed):
    torch.manual_seed(seed)
    unit, states = ConvGRU(2, 3), 2 * torch.rand(1, 3, 4, 4) - 1
    for _ in range(20):
        states = unit(scale * torch.randn(1, 2, 4, 4), states)
        assert states.abs().max() <= 1


@torch.no_grad()
def test_the_unit_keeps_or_replaces():
    """Gates that are shut or open: the state stays, or becomes the candidate."""
    unit, h, x = ConvGRU(1, 2), torch.rand(1, 2, 3, 3), torch.rand(1, 1, 3, 3)
    torch.nn.init.zeros_(unit.gates.weight)
    unit.gates.bias.copy_(torch.tensor([-100.0, -100, 0, 0]))
    assert torch.equal(unit(x, h), h)
    unit.gates.bias.copy_(torch.tensor([100.0, 100, -100, -100]))
    torch.testing.assert_close(unit(x, h), torch.tanh(unit.candidate(torch.cat((x, 0 * h), dim=1))))


def make(trained: bool = True, **sizes) -> ResponsePredictor:
    """With `trained`, layers that are zero at first are not: those before them learn one step later, otherwise."""
    torch.manual_seed(0)
    made = ResponsePredictor(**{'state_dim': 3, 'max_displacement': 2, 'match_dim': 2, 'hidden_dim': 4, **sizes})
    if trained:
        for conv in (made.propagation.forward_matches.conv2, made.propagation.backward_matches.conv2,
                     made.predictor[-1]):
            torch.nn.init.normal_(conv.weight)
    return made


class TestResponse:
    def test_shapes_and_ranges(self):
        predictor = make()
        scene = predictor.start(torch.rand(2, 5, 6), random(2, 8, 5, 6))
        assert scene.states.shape == (2, 3, 5, 6) and scene.states.abs().max() <= 1
        for _ in range(10):
            features = random(2, 8, 5, 6)
            response, scene = predictor(scene, features, 100 * random(2, 5, 6))
            assert [tuple(field.shape) for field in response] == [(2, 5, 6)] * 3
            assert response.fused.min() >= 0 and response.fused.max() <= 1 and response.confidence.abs().max() <= 1.001
            assert scene.states.abs().max() <= 1 and scene.features is features

    @torch.no_grad()
    def test_before_training_it_is_a_sigmoid_of_appearance(self):
        predictor = make(trained=False)
        appearance = torch.linspace(0.05, 1, 30).reshape(1, 5, 6)
        response, _ = predictor(predictor.start(appearance, random(1, 8, 5, 6)), random(1, 8, 5, 6), appearance)
        torch.testing.assert_close(response.fused, torch.sigmoid(10 * (appearance - 0.25)))
        assert not torch.allclose(make()(predictor.start(appearance, random(1, 8, 5, 6)), random(1, 8, 5, 6),
                                         appearance)[0].fused, response.fused)

    @torch.no_grad()
    def test_what_does_not_look_like_the_target_is_not_the_target(self):
        predictor = make()
        scene = Scene(torch.zeros(1, 3, 5, 6), random(1, 8, 5, 6))
        appearance = torch.linspace(-0.5, 1, 30).reshape(1, 5, 6)
        response, _ = predictor(scene, scene.features, appearance)
        assert torch.equal(response.fused == 0, appearance < 0.05)

    @torch.no_grad()
    def test_sequences_of_a_batch_do_not_meet(self):
        predictor = make()
        features, appearance, label = random(2, 8, 5, 6), torch.rand(2, 5, 6), torch.rand(2, 5, 6)
        both, _ = predictor(predictor.start(label, features), features.flip(3), appearance)
        for i in range(2):
            one, _ = predictor(predictor.start(label[i:i + 1], features[i:i + 1]), features[i:i + 1].flip(3),
                               appearance[i:i + 1])
            torch.testing.assert_close(both.fused[i:i + 1], one.fused)

    def test_two_frames_give_every_weight_a_gradient(self):
        predictor = make()
        scene = predictor.start(torch.rand(1, 5, 6), random(1, 8, 5, 6))
        for seed in range(2):
            response, scene = predictor(scene, random(1, 8, 5, 6, seed=seed), 0.1 + torch.rand(1, 5, 6))
        (response.fused.square().sum() + response.target.square().sum()).backward()
        silent = [name for name, p in predictor.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
        assert not silent

    def test_sizes(self):
        count = sum(p.numel() for p in ResponsePredictor().parameters())
        assert 5_000 < count < 20_000
        assert make(state_dim=2).start(torch.rand(1, 4, 4), random(1, 1, 4, 4)).states.shape[1] == 2


@pytest.mark.parametrize(('target', 'rival', 'loss'), [
    (0.9, 0.2, 0.0), (0.5, 0.25, 0.0), (0.5, 0.5, 0.25), (0.1, 0.9, 1.05), (0.0, 0.0, 0.25)])
def test_lost_tracks(target, rival, loss):
    label, response = torch.zeros(1, 1, 3, 4), torch.zeros(1, 1, 3, 4)
    label[..., 1, 1], label[..., 1, 2] = 1, 0.05
    response[..., 1, 2], response[..., 2, 3] = target, rival
    assert LostTrackHinge()(response, label).item() == pytest.approx(loss, abs=1e-6)
    absent = LostTrackHinge()(response, torch.zeros_like(label)).item()
    assert absent == pytest.approx(0.25 + max(target, rival))


def test_lost_tracks_pull_at_the_two_peaks_alone():
    response = torch.rand(2, 3, 4, 4).requires_grad_()
    label = torch.zeros(2, 3, 4, 4)
    label[..., 2, 2] = 1
    LostTrackHinge(margin=2)(response, label).backward()
    assert (response.grad != 0).sum() == 2 * 6 and math.isclose(response.grad.sum().item(), 0, abs_tol=1e-6)
