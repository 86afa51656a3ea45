"""The transformer and the encoding of places, against torch's own layers and written-out sines."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from ltr.models.transformer.position import sine_encoding
from ltr.models.transformer.transformer import DecoderLayer, EncoderLayer, Transformer

NAMES = {'attention': 'self_attn', 'attention_norm': 'norm1', 'feedforward.0': 'linear1', 'feedforward.3': 'linear2',
         'feedforward_norm': 'norm2'}
DECODER_NAMES = {**NAMES, 'self_attention': 'self_attn', 'self_attention_norm': 'norm1', 'attention': 'multihead_attn',
                 'attention_norm': 'norm2', 'feedforward_norm': 'norm3'}


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def copy_weights(theirs: nn.Module, ours: nn.Module, names: dict[str, str]) -> None:
    for name, other in names.items():
        ours.get_submodule(name).load_state_dict(theirs.get_submodule(other).state_dict())


class TestSines:
    def test_a_cell_by_hand(self):
        """Row 2 of 5, column 3 of 4, 8 channels: two waves an axis, of ratio 100."""
        y, x = 2 * math.pi * 2 / 5, 2 * math.pi * 3 / 4
        expected = [f(v / w) for v in (y, x) for w in (1, 100) for f in (math.sin, math.cos)]
        assert sine_encoding((5, 4), 8, torch.zeros(1))[1 * 4 + 2].tolist() == pytest.approx(expected, abs=1e-6)

    def test_no_two_cells_are_alike(self):
        found = sine_encoding((18, 18), 64, torch.zeros(1))
        assert found.shape == (324, 64) and found.abs().max() <= 1
        assert (torch.cdist(found, found) + torch.eye(324)).min() > 0.1

    def test_channels_that_do_not_divide(self):
        with pytest.raises(ValueError, match='multiple of 4 channels, not 6'):
            sine_encoding((3, 3), 6, torch.zeros(1))


def test_without_places_the_encoder_layer_is_torch_s():
    theirs, ours = nn.TransformerEncoderLayer(16, 4, 32, 0.0, batch_first=True), EncoderLayer(16, 4, 32, 0.0)
    copy_weights(theirs, ours, NAMES)
    x = torch.randn(2, 7, 16)
    torch.testing.assert_close(ours(x, torch.zeros(7, 16)), theirs(x), rtol=1e-4, atol=1e-5)


def test_without_places_the_decoder_layer_is_torch_s():
    theirs, ours = nn.TransformerDecoderLayer(16, 4, 32, 0.0, batch_first=True), DecoderLayer(16, 4, 32, 0.0)
    copy_weights(theirs, ours, DECODER_NAMES)
    x, memory = torch.randn(2, 3, 16), torch.randn(2, 7, 16)
    torch.testing.assert_close(ours(x, memory, torch.zeros(7, 16)), theirs(x, memory), rtol=1e-4, atol=1e-5)


@pytest.fixture
def small() -> Transformer:
    return Transformer(16, 4, 2, 2, 32, 0.0).eval()


@torch.no_grad()
def test_tokens_have_no_order_but_their_places(small):
    tokens, query, places = torch.randn(1, 9, 16), torch.randn(1, 1, 16), torch.randn(9, 16)
    order = torch.randperm(9)
    encoded, decoded = small(tokens, query, places)
    again, same = small(tokens[:, order], query, places[order])
    torch.testing.assert_close(again, encoded[:, order], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(same, decoded, rtol=1e-4, atol=1e-5)
    assert (small(tokens[:, order], query, places)[1] - decoded).abs().max() > 1e-2, 'places count'
