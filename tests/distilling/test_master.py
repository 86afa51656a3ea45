"""Float64 masters: the same Adam, with steps that add up."""

from __future__ import annotations

import copy

import pytest
import torch

from cmd_plugin.master import MasterAdam


def run(optimizer, weight, steps, start=0):
    for step in range(start, start + steps):
        optimizer.zero_grad()
        weight.grad = torch.cos(torch.arange(6.0) + step)
        optimizer.step()


def test_follows_adam():
    plain, ours = (torch.nn.Parameter(torch.linspace(-1, 1, 6)) for _ in range(2))
    run(torch.optim.Adam([plain], lr=1e-2), plain, 5)
    run(MasterAdam([{'params': [ours]}], lr=1e-2), ours, 5)
    torch.testing.assert_close(plain, ours, rtol=1e-5, atol=1e-7)


def test_tiny_steps_add_up():
    weight = torch.nn.Parameter(torch.ones(6))
    optimizer = MasterAdam([{'params': [weight], 'lr': 2e-8}])
    for _ in range(50):
        weight.grad = torch.ones(6)
        optimizer.step()
    torch.testing.assert_close(weight.detach(), torch.full((6,), 1 - 50 * 2e-8), rtol=0, atol=7e-8)
    assert (weight < 1).all()


def test_resume_is_exact():
    whole = torch.nn.Parameter(torch.ones(6))
    optimizer = MasterAdam([{'params': [whole], 'lr': 3e-8}])
    run(optimizer, whole, 4)
    state = copy.deepcopy(optimizer.state_dict())
    run(optimizer, whole, 4, start=4)
    part = torch.nn.Parameter(torch.zeros(6))
    resumed = MasterAdam([{'params': [part], 'lr': 1.0}])
    resumed.load_state_dict(state)
    run(resumed, part, 4, start=4)
    assert torch.equal(whole, part)
    assert torch.equal(optimizer.param_groups[0]['params'][0], resumed.param_groups[0]['params'][0])


def test_state_of_other_weights_is_refused():
    state = MasterAdam([{'params': [torch.nn.Parameter(torch.ones(6))]}]).state_dict()
    with pytest.raises(ValueError, match='other weights'):
        MasterAdam([{'params': [torch.nn.Parameter(torch.ones(5))]}]).load_state_dict(state)
