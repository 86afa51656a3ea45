"""IoU predictor: how well does a proposal fit the target of the reference frame? (ATOM, Sec. 3.2)

Legend: q sequences, P proposals, C2 / C3 channels of backbone layer2 / layer3 (strides 8 / 16).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ltr.models.layers.blocks import LinearBlock, conv_block
from ltr.models.layers.prroi_pool import prroi_pool_boxes


def _corners(xywh: Tensor) -> Tensor:
    return torch.cat((xywh[..., :2], xywh[..., :2] + xywh[..., 2:]), dim=-1)


class AtomIoUNet(nn.Module):
    """Modulation-based IoU predictor. Modules ending in `r` are the reference branch, in `t` / `rt` the test branch.

    Args:
        input_dim: C2, C3.
        pred_input_dim: channels of the modulated test features.
        pred_inter_dim: outputs of the two fully connected test layers.
        reference_dim: channels of `conv3_1r`, `fc3_1r` and `conv4_1r`.
    """

    def __init__(self, input_dim: Sequence[int] = (128, 256), pred_input_dim: Sequence[int] = (256, 256),
                 pred_inter_dim: Sequence[int] = (256, 256),
                 reference_dim: Sequence[int] = (128, 256, 256)) -> None:
        super().__init__()
        ref3, ref3_out, ref4 = reference_dim
        self.conv3_1r = conv_block(input_dim[0], ref3)
        self.conv3_1t = conv_block(input_dim[0], pred_input_dim[0])
        self.conv3_2t = conv_block(pred_input_dim[0], pred_input_dim[0])
        self.fc3_1r = conv_block(ref3, ref3_out, kernel_size=3, padding=0)
        self.conv4_1r = conv_block(input_dim[1], ref4)
        self.conv4_1t = conv_block(input_dim[1], pred_input_dim[1])
        self.conv4_2t = conv_block(pred_input_dim[1], pred_input_dim[1])
        self.fc34_3r = conv_block(ref3_out + ref4, pred_input_dim[0], kernel_size=1, padding=0)
        self.fc34_4r = conv_block(ref3_out + ref4, pred_input_dim[1], kernel_size=1, padding=0)
        self.fc3_rt = LinearBlock(pred_input_dim[0], pred_inter_dim[0], 5)
        self.fc4_rt = LinearBlock(pred_input_dim[1], pred_inter_dim[1], 3)
        self.iou_predictor = nn.Linear(pred_inter_dim[0] + pred_inter_dim[1], 1)
        self._initialise()

    def _initialise(self) -> None:
        for module in self.modules():
            if isinstance(module, (nn.Conv2d, nn.Linear)):
                nn.init.kaiming_normal_(module.weight, mode='fan_in', nonlinearity='relu')
                assert module.bias is not None
                nn.init.zeros_(module.bias)
            elif isinstance(module, nn.BatchNorm2d):
                nn.init.uniform_(module.weight)
                nn.init.zeros_(module.bias)

    def forward(self, feat1: Sequence[Tensor], feat2: Sequence[Tensor], bb1: Tensor, proposals2: Tensor) -> Tensor:
        """Predicted 2 IoU - 1 of the proposals of every test frame.

        Args:
            feat1: layer2 and layer3 of the reference frames, (n, q, C, H, W) each; only the first frame is used.
            feat2: of the test frames, alike.
            bb1: (n, q, 4) reference boxes, `xywh`, crop px.
            proposals2: (n_test, q, P, 4) `xywh`, crop px.

        Returns:
            (n_test, q, P); gradient flows to features, weights and proposals.
        """
        frames, q, count = proposals2.shape[:3]
        modulation = self.get_modulation([f.reshape(-1, q, *f.shape[-3:])[0] for f in feat1],
                                         bb1.reshape(-1, q, 4)[0])
        modulation = [m.expand(frames, *m.shape).reshape(frames * q, *m.shape[1:]) for m in modulation]
        features = self.get_iou_feat([f.reshape(-1, *f.shape[-3:]) for f in feat2])
        predicted = self.predict_iou(modulation, features, proposals2.reshape(frames * q, count, 4))
        return predicted.reshape(frames, q, count)

    def get_modulation(self, feat: Sequence[Tensor], bb: Tensor) -> list[Tensor]:
        """Modulation vectors of the target: the reference branch.

        Args:
            feat: layer2 and layer3, (q, C, H, W) each.
            bb: (q, 4) `xywh`, crop px.

        Returns:
            Two (q, C', 1, 1), for the layer2 and the layer3 branch; gradient flows.
        """
        box = _corners(bb.reshape(-1, 1, 4))
        pooled3 = prroi_pool_boxes(self.conv3_1r(feat[0]), box, 3, 1 / 8)[:, 0]
        pooled4 = prroi_pool_boxes(self.conv4_1r(feat[1]), box, 1, 1 / 16)[:, 0]
        joined = torch.cat((self.fc3_1r(pooled3), pooled4), dim=1)
        return [self.fc34_3r(joined), self.fc34_4r(joined)]

    def get_iou_feat(self, feat2: Sequence[Tensor]) -> list[Tensor]:
        """IoU features of test frames: the test branch; two (N, C', H, W) from layer2 and layer3."""
        feat2 = [f.reshape(-1, *f.shape[-3:]) for f in feat2]
        return [self.conv3_2t(self.conv3_1t(feat2[0])), self.conv4_2t(self.conv4_1t(feat2[1]))]

    def predict_iou(self, modulation: Sequence[Tensor], feat: Sequence[Tensor], proposals: Tensor) -> Tensor:
        """Predicted 2 IoU - 1.

        Args:
            modulation: two (N, C', 1, 1).
            feat: two (N, C', H, W), from `get_iou_feat`.
            proposals: (N, P, 4) `xywh`, crop px.

        Returns:
            (N, P); gradient flows to all inputs.
        """
        number, count = proposals.shape[:2]
        boxes = _corners(proposals)
        # Pooling is linear in the features: modulating the pooled bins is cheaper than modulating the maps.
        pooled3 = prroi_pool_boxes(feat[0], boxes, 5, 1 / 8) * modulation[0].unsqueeze(1)
        pooled4 = prroi_pool_boxes(feat[1], boxes, 3, 1 / 16) * modulation[1].unsqueeze(1)
        joined = torch.cat((self.fc3_rt(pooled3.flatten(0, 1)), self.fc4_rt(pooled4.flatten(0, 1))), dim=1)
        return self.iou_predictor(joined).reshape(number, count)
