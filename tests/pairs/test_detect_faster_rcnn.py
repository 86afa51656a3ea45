"""Faster R-CNN of torchvision: its answers become boxes, its weights are had or it says how."""

from __future__ import annotations

from urllib.error import URLError

import numpy as np
import pytest
import torch
from torch import nn
from torchvision.models import detection

from cmd_plugin.detect import faster_rcnn
from cmd_plugin.detect.faster_rcnn import FasterRCNNDetector
from cmd_plugin.errors import UserError


class Answers(nn.Module):
    """Gives fixed answers and keeps what it saw."""

    def forward(self, images: list[torch.Tensor]) -> list[dict[str, torch.Tensor]]:
        self.seen = images[0]
        return [{'boxes': torch.tensor([[1.0, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12], [0, 0, 1, 1]]),
                 'labels': torch.tensor([3, 12, 1, 3]), 'scores': torch.tensor([0.9, 0.8, 0.7, 0.1])}]


def test_answers_become_boxes(monkeypatch):
    answers = Answers()
    monkeypatch.setattr(faster_rcnn, '_fetch', lambda published: {})
    monkeypatch.setattr(faster_rcnn, '_build', lambda state, path: answers)
    detector = FasterRCNNDetector(device='cpu')
    assert len(detector.names) == 80 and detector.names[:3] == ('person', 'bicycle', 'car')
    assert 'fasterrcnn_resnet50_fpn_v2' in detector.source
    image = np.zeros((4, 6, 3), np.uint8)
    image[..., 0] = 255
    found = detector(image, 0.3)
    # Label 12 is a gap in COCO's numbers; the last answer is not sure enough.
    assert found.labels == ['car', 'person']
    np.testing.assert_array_equal(found.boxes, [[1, 2, 3, 4], [9, 10, 11, 12]])
    np.testing.assert_allclose(found.scores, [0.9, 0.7])
    assert answers.seen.shape == (3, 4, 6) and answers.seen[:, 0, 0].tolist() == [1, 0, 0]


@pytest.mark.parametrize('error', [URLError('no route'), RuntimeError('invalid hash'), TimeoutError('late')])
def test_weights_that_cannot_be_fetched(monkeypatch, error):
    def fail(*arguments: object, **options: object) -> None:
        raise error
    monkeypatch.setattr('torchvision.models._api.load_state_dict_from_url', fail)
    with pytest.raises(UserError, match=r'Faster R-CNN cannot be fetched from https://.*\.pth \(.*--weights FILE'):
        FasterRCNNDetector(device='cpu')


@pytest.mark.parametrize('contents', [b'', b'hello', b'PK\x03\x04junk'])
def test_files_that_hold_no_weights(tmp_path, contents):
    path = tmp_path / 'w.pth'
    path.write_bytes(contents)
    with pytest.raises(UserError, match=r'w\.pth holds no weights') as error:
        FasterRCNNDetector(path, 'cpu')
    assert '\n' not in str(error.value)


def test_no_such_weights(tmp_path):
    with pytest.raises(UserError, match=r'cannot read weights .*none\.pth: No such file'):
        FasterRCNNDetector(tmp_path / 'none.pth', 'cpu')


def test_weights_of_another_network(tmp_path, monkeypatch):
    for name in faster_rcnn.VERSIONS:
        monkeypatch.setattr(detection, name, lambda weights, weights_backbone: nn.Linear(2, 2))
    torch.save({'weight': torch.zeros(3, 3)}, tmp_path / 'w.pth')
    with pytest.raises(UserError, match=r'detector file of another model: .*w\.pth does not hold the weights of f'):
        FasterRCNNDetector(tmp_path / 'w.pth', 'cpu')


@pytest.mark.slow
@pytest.mark.parametrize('version', faster_rcnn.VERSIONS)
def test_the_whole_network_from_a_file(tmp_path, version):
    """Weights by chance: what it finds means nothing, but it runs and keeps to the image."""
    torch.manual_seed(0)
    torch.save(getattr(detection, version)(weights=None, weights_backbone=None).state_dict(), tmp_path / 'w.pth')
    detector = FasterRCNNDetector(tmp_path / 'w.pth', 'cpu')
    found = detector(np.random.default_rng(0).integers(0, 256, (64, 96, 3), dtype=np.uint8), 0.01)
    assert len(found.boxes) == len(found.scores) == len(found.labels)
    assert (found.boxes >= 0).all() and (found.boxes <= (96, 64, 96, 64)).all()
