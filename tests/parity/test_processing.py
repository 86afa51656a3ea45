"""Parity: crops, labels and overlap targets equal those that published networks were trained with."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ltr.data.processing import DiMPProcessing
from ltr.data.processing_utils import gaussian_label_function, sample_target
from ltr.data.proposals import overlap

PROPOSALS = torch.tensor([[[[100, 100, 60, 70], [130, 95, 40, 90], [110, 110, 70, 60]],
                           [[112, 108, 50, 75], [90, 90, 100, 90], [140, 130, 30, 40]]]], dtype=torch.float32)
TEST_BOXES = torch.tensor([[[112, 100, 58, 74], [95, 112, 70, 60]]], dtype=torch.float32)


def test_gaussian_label(golden):
    boxes = torch.tensor([[100, 110, 60, 70], [130, 90, 33, 41]], dtype=torch.float32)
    label = gaussian_label_function(boxes, 0.05, 4, 18, 288)
    np.testing.assert_allclose(label.numpy(), golden('processing')['gaussian_label'], rtol=1e-4, atol=1e-6)


def test_training_crop(golden):
    sequence, expected = golden('sequence'), golden('processing')
    frame = sequence['background'].copy()
    x, y, w, h = sequence['boxes'][0]
    frame[y:y + h, x:x + w] = sequence['target']
    crop, factor = sample_target(frame, torch.tensor([130.0, 100, 50, 60]), 5, 288)
    assert factor == pytest.approx(float(expected['sample_target/scale']), rel=1e-12)
    np.testing.assert_array_equal(crop[::8, ::8], expected['sample_target/crop'])


def test_overlap_targets(golden):
    targets = [[[2 * overlap(box, proposal) - 1 for proposal in proposals]
                for box, proposals in zip(TEST_BOXES[0].tolist(), PROPOSALS[0].tolist(), strict=True)]]
    np.testing.assert_allclose(targets, golden('training')['proposal_iou'], rtol=1e-5, atol=1e-6)


def test_label_of_a_training_step(golden):
    jitter = {'train': 0.0, 'test': 0.0}
    processing = DiMPProcessing(5, 288, jitter, jitter, label_function_params={
        'feature_sz': 18, 'sigma_factor': 0.05, 'kernel_sz': 4})
    np.testing.assert_allclose(processing.label(TEST_BOXES).numpy(), golden('training')['test_label'],
                               rtol=1e-4, atol=1e-6)
