"""DiMP's target classifier: features, model predictor, and the filter's scores (DiMP, Sec. 3)."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from ltr.models.layers.filter import apply_filter


class LinearFilter(nn.Module):
    """Target classification by a filter that is predicted from the reference frames.

    Args:
        filter_size: k.
        filter_initializer: `forward(feat, bb) -> (q, C, k, k)`.
        filter_optimizer: see `DiMPSteepestDescentGN`; `None` keeps the initial filter.
        feature_extractor: head on backbone features; `None` uses them as they are.
    """

    def __init__(self, filter_size: int, filter_initializer: nn.Module, filter_optimizer: nn.Module | None = None,
                 feature_extractor: nn.Module | None = None) -> None:
        super().__init__()
        self.filter_size = filter_size
        self.filter_initializer = filter_initializer
        self.filter_optimizer = filter_optimizer
        self.feature_extractor = feature_extractor

    def forward(self, train_feat: Tensor, test_feat: Tensor, train_bb: Tensor, *args: Any,
                **kwargs: Any) -> list[Tensor]:
        """Scores of the test frames under every filter iterate.

        Args:
            train_feat: backbone features of the reference frames, (n, q, C', H, W) or (n q, C', H, W).
            test_feat: of the test frames, alike.
            train_bb: (n, q, 4) `xywh`, crop px.

        Returns:
            num_iter + 1 maps (n_test, q, H', W'), the initialiser's first; gradient flows.
        """
        num_sequences = train_bb.shape[1] if train_bb.dim() == 3 else 1
        train = self.extract_classification_feat(train_feat, num_sequences)
        test = self.extract_classification_feat(test_feat, num_sequences)
        _, iterates, _ = self.get_filter(train, train_bb, *args, compute_losses=False, **kwargs)
        return [self.classify(weights, test) for weights in iterates]

    def extract_classification_feat(self, feat: Tensor, num_sequences: int | None = None) -> Tensor:
        """Classification features; with `num_sequences` as (n, q, C, H, W), else with the leading axes of `feat`."""
        leading = feat.shape[:-3]
        feat = feat.reshape(-1, *feat.shape[-3:])
        if self.feature_extractor is not None:
            feat = self.feature_extractor(feat)
        if num_sequences is not None:
            leading = (-1, num_sequences)  # type: ignore[assignment]
        return feat.reshape(*leading, *feat.shape[-3:])

    def classify(self, weights: Tensor, feat: Tensor) -> Tensor:
        """Scores (n, q, H', W') of classification features (n, q, C, H, W) or (n, C, H, W)."""
        return apply_filter(feat if feat.dim() == 5 else feat[:, None], weights)

    def get_filter(self, feat: Tensor, bb: Tensor, *args: Any,
                   **kwargs: Any) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        """Filter (q, C, k, k), its iterates and losses from classification features and `xywh` boxes (crop px)."""
        weights = self.filter_initializer(feat, bb)
        if self.filter_optimizer is None:
            return weights, [weights], []
        return self.filter_optimizer(weights, *args, feat=feat, bb=bb, **kwargs)
