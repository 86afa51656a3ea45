"""Networks of KYS: DiMP's weights and the response predictor's, what trains, and what an image's shift does."""

from __future__ import annotations

import pytest
import torch

from ltr.admin.loading import load_network
from ltr.data.labels import gaussian_label_function
from ltr.models.layers.correlation import plain_cost_volume
from ltr.models.tracking.dimpnet import STOCK_OPTIONS, dimpnet18, dimpnet50, dimpnet_small
from ltr.models.tracking.kysnet import KYSnet, kysnet18, kysnet50, kysnet_small

OWN = 'response_predictor.'
BOX = torch.tensor([58.0, 55, 30, 28])


@pytest.fixture
def net() -> KYSnet:
    torch.manual_seed(0)
    return kysnet_small(predictor={'max_displacement': 2, 'hidden_dim': 4, 'state_dim': 3}, out_feature_dim=16).eval()


def video(frames: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(frames, 2, 3, 144, 144, generator=torch.Generator().manual_seed(seed))


def boxes(frames: int) -> torch.Tensor:
    return BOX.expand(frames, 2, 4)


@pytest.mark.parametrize(('kys', 'dimp'), [(kysnet18, dimpnet18), (kysnet50, dimpnet50)])
def test_state_is_that_of_dimp_and_a_response_predictor(kys, dimp):
    with torch.device('meta'):
        ours, theirs = (make(backbone_pretrained=False, **STOCK_OPTIONS).state_dict() for make in (kys, dimp))
    assert [key for key in ours if not key.startswith(OWN)] == list(theirs)
    assert all(ours[key].shape == theirs[key].shape for key in theirs)
    assert len(ours) > len(theirs)


def test_a_checkpoint_is_built_again_with_its_sizes(tmp_path, net):
    path = tmp_path / 'KYSnet_ep0001.pth.tar'
    torch.save({'net': net.state_dict(), 'constructor': net.constructor, 'net_type': 'KYSnet', 'epoch': 1}, path)
    again, _ = load_network(path)
    assert isinstance(again, KYSnet) and again.response_predictor.propagation.max_displacement == 2
    assert all(torch.equal(value, again.state_dict()[key]) for key, value in net.state_dict().items())
    assert again.constructor.kwds == net.constructor.kwds


def test_small_networks_have_no_pretrained_backbone():
    with pytest.raises(ValueError, match='no pretrained'):
        kysnet_small(backbone_pretrained=True)


@torch.no_grad()
def test_it_is_told_the_target_in_the_first_frame_only(net):
    torch.nn.init.normal_(net.response_predictor.predictor[-1].weight)  # zero at first
    images = video(3)
    response = net(video(1, seed=1), images, boxes(1), boxes(3))
    assert [tuple(field.shape) for field in response] == [(2, 2, 10, 10)] * 3
    later = boxes(3).clone()
    later[1:] += 30
    assert torch.equal(net(video(1, seed=1), images, boxes(1), later).fused, response.fused)
    first = boxes(3).clone()
    first[0] += 30
    assert not torch.equal(net(video(1, seed=1), images, boxes(1), first).fused, response.fused)


@torch.no_grad()
def test_states_begin_with_the_label_of_training(net):
    features = torch.randn(2, 16, 9, 9)
    scene = net.start(features, torch.stack((BOX, BOX + 20)))
    label = gaussian_label_function(torch.stack((BOX, BOX + 20)), 0.1, 4, 9, 144)
    torch.testing.assert_close(scene.states, net.response_predictor.initial(label[:, None]))
    assert scene.features.shape == (2, 16, 10, 10)


def test_gradient_reaches_the_response_predictor_alone(net):
    torch.nn.init.normal_(net.response_predictor.predictor[-1].weight)  # zero at first
    net(video(1), video(3), boxes(1), boxes(3)).fused.sum().backward()
    got = {name for name, p in net.named_parameters() if p.grad is not None and p.grad.abs().sum() > 0}
    assert got and all(name.startswith(OWN) for name in got)


@torch.no_grad()
def test_the_dimp_inside_is_dimp():
    torch.manual_seed(0)
    kys, dimp = kysnet_small(), dimpnet_small()
    dimp.load_state_dict({key: value for key, value in kys.state_dict().items() if not key.startswith(OWN)})
    kys.eval(), dimp.eval()
    filters = [net.classifier.get_filter(
        net.extract_classification_feat(net.extract_backbone_features(video(1)[0]))[None], boxes(1))[0]
        for net in (kys, dimp)]
    assert torch.equal(*filters)
    torch.testing.assert_close(filters[0], kys._filter(video(1), boxes(1)), rtol=1e-4, atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize('cells', [(0, 2), (-1, 1)])
def test_a_shift_of_the_image_moves_the_best_match(cells):
    """Two crops of one large image, a few strides apart: cells away from the crop's border find their own."""
    torch.manual_seed(0)
    net = kysnet_small().eval()
    world = torch.nn.functional.interpolate(torch.randn(1, 3, 90, 90), scale_factor=4, mode='bilinear')
    crops = torch.cat([world[..., 64 + 16 * y:288 + 16 * y, 64 + 16 * x:288 + 16 * x] for y, x in ((0, 0), cells)])
    features = net._on_score_cells(net.extract_classification_feat(net.extract_backbone_features(crops)))
    first, second = torch.nn.functional.normalize(features, dim=1)[:, None]
    best = plain_cost_volume(first, second, 3)[0].flatten(0, 1).argmax(dim=0)
    inner = torch.zeros(15, 15, dtype=torch.bool)
    inner[4:-4, 4:-4] = True  # the padding of the layers shows in the others
    inner &= inner.roll(cells, (0, 1))
    assert inner.sum() >= 20 and (best[inner] == (3 - cells[0]) * 7 + 3 - cells[1]).all()
