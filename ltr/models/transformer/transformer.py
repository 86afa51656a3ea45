"""Encoder and decoder with places added to queries and keys in every layer.

Reference: Carion et al., "End-to-End Object Detection with Transformers", ECCV 2020; Vaswani et al., "Attention Is All
You Need", NeurIPS 2017.

Legend: B sequences, L tokens, C channels.
"""

from __future__ import annotations

from torch import Tensor, nn


class _Layer(nn.Module):
    """What the layers of both halves share: residual branches with dropout, each followed by its norm."""

    def __init__(self, channels: int, heads: int, feedforward: int, dropout: float) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(channels, heads, dropout, batch_first=True)
        self.attention_norm = nn.LayerNorm(channels)
        self.feedforward = nn.Sequential(nn.Linear(channels, feedforward), nn.ReLU(inplace=True), nn.Dropout(dropout),
                                         nn.Linear(feedforward, channels))
        self.feedforward_norm = nn.LayerNorm(channels)
        self.dropout = nn.Dropout(dropout)

    def _attend(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        found, _ = self.attention(query, key, value, need_weights=False)
        return self.dropout(found)

    def _forward(self, x: Tensor) -> Tensor:
        return self.feedforward_norm(x + self.dropout(self.feedforward(x)))


class EncoderLayer(_Layer):
    """Tokens look at one another."""

    def forward(self, x: Tensor, position: Tensor) -> Tensor:
        """Tokens (B, L, C) at `position` (L, C) to tokens (B, L, C); gradient flows."""
        placed = x + position
        x = self.attention_norm(x + self._attend(placed, placed, x))
        return self._forward(x)


class DecoderLayer(_Layer):
    """A query looks at itself, then at the encoder's tokens."""

    def __init__(self, channels: int, heads: int, feedforward: int, dropout: float) -> None:
        super().__init__(channels, heads, feedforward, dropout)
        self.self_attention = nn.MultiheadAttention(channels, heads, dropout, batch_first=True)
        self.self_attention_norm = nn.LayerNorm(channels)

    def forward(self, x: Tensor, memory: Tensor, position: Tensor) -> Tensor:
        """Queries (B, Q, C) and the encoder's tokens (B, L, C) at `position` (L, C) to (B, Q, C); gradient flows."""
        found, _ = self.self_attention(x, x, x, need_weights=False)
        x = self.self_attention_norm(x + self.dropout(found))
        x = self.attention_norm(x + self._attend(x, memory + position, memory))
        return self._forward(x)


class Transformer(nn.Module):
    """Encoder of the tokens, decoder of queries.

    Args:
        channels: C.
        heads: of every attention.
        encoder_layers, decoder_layers: number of layers.
        feedforward: inner channels of the layers' feed-forward networks.
        dropout: probability.
    """

    def __init__(self, channels: int = 256, heads: int = 8, encoder_layers: int = 6, decoder_layers: int = 6,
                 feedforward: int = 2048, dropout: float = 0.1) -> None:
        super().__init__()
        sizes = (channels, heads, feedforward, dropout)
        self.encoder = nn.ModuleList(EncoderLayer(*sizes) for _ in range(encoder_layers))
        self.decoder = nn.ModuleList(DecoderLayer(*sizes) for _ in range(decoder_layers))
        self.output_norm = nn.LayerNorm(channels)
        for weight in self.parameters():
            if weight.dim() > 1:
                nn.init.xavier_uniform_(weight)

    def forward(self, tokens: Tensor, query: Tensor, position: Tensor) -> tuple[Tensor, Tensor]:
        """Encoded tokens and decoded queries.

        Args:
            tokens: (B, L, C).
            query: (B, Q, C).
            position: (L, C), what tells the tokens' places.

        Returns:
            (B, L, C) and (B, Q, C); gradient flows to all.
        """
        for layer in self.encoder:
            tokens = layer(tokens, position)
        for layer in self.decoder:
            query = layer(query, tokens, position)
        return tokens, self.output_norm(query)
