"""Pooling by the extension that must be compiled."""

import torch

from ltr.external.PreciseRoIPooling.pytorch.prroi_pool import PrRoIPool2D


def prroi_pool(features, rois, size, scale):
    return PrRoIPool2D(size, size, scale)(features, rois)


def prroi_pool_boxes(features, boxes, size, scale):
    images, count = boxes.shape[:2]
    index = torch.arange(images, device=boxes.device, dtype=boxes.dtype).repeat_interleave(count)[:, None]
    pooled = prroi_pool(features, torch.cat((index, boxes.reshape(-1, 4)), dim=1), size, scale)
    return pooled.reshape(images, count, *pooled.shape[1:])
