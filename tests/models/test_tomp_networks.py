"""The networks of ToMP: what reference frames do, gradients, checkpoints, one sample learnt."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ltr.actors import ToMPActor
from ltr.admin.errors import UserError
from ltr.admin.loading import load_network
from ltr.admin.model_constructor import NetConstructor
from ltr.data.labels import gaussian_label_function
from ltr.models.tracking.tompnet import ToMPnet, tompnet18, tompnet50, tompnet_small
from ltr.train_settings.tomp import _common, tomp50
from pytracking.features.folding import tracking_copy

TINY = {'channels': 16, 'heads': 2, 'encoder_layers': 1, 'decoder_layers': 1, 'feedforward': 32, 'tower_layers': 1}
BOX = torch.tensor([60.0, 58, 28, 30])


def tiny(seed: int = 0, **options) -> ToMPnet:
    torch.manual_seed(seed)
    return tompnet_small(**{**TINY, **options})


def squares(frames: int, pairs: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Noise with a bright rectangle: images (frames, pairs, 3, 144, 144) and its boxes `xywh`."""
    generator = torch.Generator().manual_seed(seed)
    images = torch.randn(frames, pairs, 3, 144, 144, generator=generator)
    boxes = torch.cat((20 + 60 * torch.rand(frames, pairs, 2, generator=generator),
                       22 + 20 * torch.rand(frames, pairs, 2, generator=generator)), dim=-1).round()
    for image, box in zip(images.flatten(0, 1), boxes.flatten(0, 1), strict=True):
        x, y, w, h = (int(value) for value in box)
        image[:, y:y + h, x:x + w] += 3
    return images, boxes


def batch(pairs: int = 2) -> dict[str, torch.Tensor]:
    train, train_boxes = squares(2, pairs)
    test, test_boxes = squares(1, pairs, seed=1)
    return {'train_images': train, 'train_anno': train_boxes, 'test_images': test, 'test_anno': test_boxes,
            'test_label': gaussian_label_function(test_boxes, 0.1, 1, 9, 144)}


@pytest.mark.parametrize('make', [tompnet18, pytest.param(tompnet50, marks=pytest.mark.slow)])
@torch.no_grad()
def test_maps_of_288_px_have_18_cells(make):
    torch.manual_seed(0)
    net = make(backbone_pretrained=False, encoder_layers=1, decoder_layers=1).eval()
    scores, boxes = net(torch.randn(2, 1, 3, 288, 288), torch.randn(1, 1, 3, 288, 288), (2 * BOX).expand(2, 1, 4))
    assert scores.shape == (1, 1, 18, 18) and boxes.shape == (1, 1, 18, 18, 4)
    assert scores.isfinite().all() and (boxes[..., 2:] > 0).all()


def test_the_paper_s_sizes():
    head = tompnet18(backbone_pretrained=False).head
    assert (len(head.transformer.encoder), len(head.transformer.decoder)) == (6, 6)
    layer = head.transformer.encoder[0]
    assert (layer.attention.embed_dim, layer.attention.num_heads, layer.attention.dropout) == (256, 8, 0.1)
    assert layer.feedforward[0].out_features == 2048 and head.label_sigma == 0.05


class TestReferenceFrames:
    @pytest.fixture(autouse=True)
    def without_gradient(self):
        with torch.no_grad():
            yield

    def test_their_order_is_nothing_and_their_boxes_are_all(self):
        net, data = tiny().eval(), batch()
        images, boxes, test = data['train_images'], data['train_anno'], data['test_images']
        scores, cells = net(images, test, boxes)
        swapped = net(images.flip(0), test, boxes.flip(0))
        torch.testing.assert_close(swapped[0], scores, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(swapped[1], cells, rtol=1e-4, atol=1e-3)
        assert (net(images, test, boxes.flip(0))[0] - scores).abs().max() > 1e-3
        grown = torch.cat((boxes[..., :2] - 10, boxes[..., 2:] + 20), dim=-1)  # the centre, and so the label, stays
        assert (net(images, test, grown)[0] - scores).abs().max() > 1e-4

    def test_sequences_and_test_frames_do_not_meet(self):
        """Two test frames of two sequences at once are what each is by itself."""
        net, data = tiny().eval(), batch()
        tests, _ = squares(2, 2, seed=5)
        scores, cells = net(data['train_images'], tests, data['train_anno'])
        for frame in range(2):
            for row in range(2):
                one = slice(row, row + 1)
                alone = net(data['train_images'][:, one], tests[frame:frame + 1, one], data['train_anno'][:, one])
                torch.testing.assert_close(scores[frame, one], alone[0][0], rtol=1e-4, atol=1e-5)
                torch.testing.assert_close(cells[frame, one], alone[1][0], rtol=1e-4, atol=1e-3)

    def test_the_state_of_the_target_is_added(self):
        """x + y e_fg + phi(d), cell by cell; far from the target phi remains."""
        head = tiny().head
        feat = torch.randn(1, 16, 9, 9)
        state = head.encode_reference(feat, BOX[None]) - feat
        label = gaussian_label_function(BOX[None], 0.1, 1, 9, 144)[0]
        centre = (label * head.foreground.weight[0, 3]).flatten()
        extent = head.box_encoder(torch.tensor([[(72 - 60) / 144, (72 - 58) / 144, (88 - 72) / 144, (88 - 72) / 144]]))
        assert state[0, 3, 4, 4].item() == pytest.approx((centre[40] + extent[0, 3]).item(), abs=1e-5)


def test_gradient_reaches_every_weight():
    net = tiny()
    loss, stats = _common.actor(net, tomp50.RECIPE)(batch())
    loss.backward()
    without = [name for name, weight in net.named_parameters() if weight.grad is None or not weight.grad.any()]
    # The bias of keys shifts all scores of an attention alike, and a query alone has nothing to choose from.
    assert all('self_attention' in name for name in without)
    assert loss.item() == pytest.approx(stats['Loss/target_clf'] + stats['Loss/giou'], rel=1e-5)


def test_the_actor_weighs_hinge_by_100_and_giou_by_1():
    net, data = tiny().eval(), batch()
    with torch.no_grad():
        scores, boxes = net(data['train_images'], data['test_images'], data['train_anno'])
        plain, stats = ToMPActor(net, _common.actor(net, tomp50.RECIPE).objective)(data)
        weighted, _ = ToMPActor(net, _common.actor(net, tomp50.RECIPE).objective, {'test_clf': 2.0, 'giou': 3.0})(data)
    label = data['test_label']
    hinge = torch.where(label < 0.05, scores.clamp(min=0), scores - label).square().mean()
    giou = _common.actor(net, tomp50.RECIPE).objective['giou'](boxes, data['test_anno'], label)
    assert plain.item() == pytest.approx((100 * hinge + giou).item(), rel=1e-5)
    assert weighted.item() == pytest.approx((2 * hinge + 3 * giou).item(), rel=1e-5)
    assert stats['ClfTrain/test_loss'] == pytest.approx(hinge.item(), rel=1e-5)


def test_one_sample_is_learnt():
    """In 25 steps of a tiny network the loss falls to a seventh; then the peak is at the target, and tells its box."""
    net, data = tiny(), batch(1)
    actor, optimizer = _common.actor(net, tomp50.RECIPE), torch.optim.AdamW(net.parameters(), lr=3e-3)
    losses = []
    for _ in range(25):
        actor.train(True)
        loss, stats = actor(data)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert min(losses[-5:]) < losses[0] / 7 and stats['Loss/giou'] < 0.55
    with torch.no_grad():
        scores, boxes = net(data['train_images'], data['test_images'], data['train_anno'])
    row, column = divmod(int(scores[0, 0].argmax()), 9)
    found, target = boxes[0, 0, row, column], data['test_anno'][0, 0]
    assert (found[:2] + found[2:] / 2 - target[:2] - target[2:] / 2).abs().max() < 5
    assert (found[2:] / target[2:]).log().abs().max() < 0.4


def test_a_checkpoint_is_rebuilt(tmp_path):
    net = tiny(label_sigma=0.07)
    torch.save({'net': net.state_dict(), 'constructor': net.constructor, 'net_type': 'ToMPnet', 'epoch': 1},
               tmp_path / 'net.pth.tar')
    again, contents = load_network(tmp_path / 'net.pth.tar')
    assert contents['constructor'].fun_module == 'ltr.models.tracking.tompnet' and again.head.label_sigma == 0.07
    assert all(torch.equal(value, net.state_dict()[key]) for key, value in again.state_dict().items())


def test_weights_of_another_tomp_are_refused(tmp_path):
    """Such as the stock toolkit's, whose names are others."""
    net = tiny()
    state = {key.replace('head.transformer', 'head.filter_predictor.transformer'): value
             for key, value in net.state_dict().items()}
    torch.save({'net': state, 'constructor': NetConstructor('tompnet_small', 'ltr.models.tracking.tompnet', (), TINY)},
               tmp_path / 'net.pth.tar')
    with pytest.raises(UserError, match=r'net\.pth\.tar is of another network than ToMPnet: \d+ tensors missing'):
        load_network(tmp_path / 'net.pth.tar')


def test_the_copy_that_tracks_computes_the_same():
    net = tiny().eval()
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    data = batch()
    with torch.no_grad():
        found, copied = (n(data['train_images'], data['test_images'], data['train_anno'])
                         for n in (net, tracking_copy(net)))
    for ours, theirs in zip(found, copied, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-3)


def test_the_small_one_has_no_pretrained_weights():
    with pytest.raises(ValueError, match='no pretrained backbone'):
        tompnet_small(backbone_pretrained=True)
