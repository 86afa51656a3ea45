"""The network's copy for tracking is the same function; crops are the pixels that they were."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from ltr.models.layers import winograd
from ltr.models.layers.blocks import conv_block
from ltr.models.layers.winograd import WinogradConv2d, transforms
from ltr.models.tracking.dimpnet import STOCK_OPTIONS, dimpnet18
from pytracking.features.folding import tracking_copy
from pytracking.features.net_wrappers import NetWithBackbone
from pytracking.features.preprocessing import crop_window, sample_patch
from tests.parity.named_weights import TRAIN_BOXES, fill, x


class TestWinograd:
    @pytest.mark.parametrize('m', [2, 3, 4])
    def test_identity_of_the_transforms(self, m):
        """For every input and kernel of float64: products of transforms are the correlation."""
        of_inputs, of_kernels, of_products = transforms(m)
        g, d = torch.randn(3, dtype=torch.float64), torch.randn(m + 2, dtype=torch.float64)
        found = of_products @ ((of_kernels @ g) * (of_inputs @ d))
        torch.testing.assert_close(found, d.unfold(0, 3, 1) @ g, rtol=1e-12, atol=1e-12)

    @settings(max_examples=25, deadline=None)
    @given(n=st.integers(1, 2), height=st.integers(3, 11), width=st.integers(3, 11), bias=st.booleans(),
           channels_last=st.booleans(), channels=st.sampled_from([(64, 64), (128, 160)]))
    def test_is_the_convolution(self, n, height, width, bias, channels_last, channels):
        torch.manual_seed(0)
        conv = nn.Conv2d(*channels, 3, padding=1, bias=bias).requires_grad_(False)
        images = torch.randn(n, channels[0], height, width)
        if channels_last:
            images = images.contiguous(memory_format=torch.channels_last)
        exact = nn.functional.conv2d(images.double(), conv.weight.double(),
                                     None if conv.bias is None else conv.bias.double(), padding=1)
        fast = WinogradConv2d.of(conv)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(winograd, 'LEAST_WORK', 0)
            found, inner = fast(images), fast.unpadded(images)
        assert fast._kept is not None, 'computed by tiles'
        tolerance = 1e-5 * exact.abs().max().item()
        torch.testing.assert_close(found.double(), exact, rtol=0, atol=tolerance)
        torch.testing.assert_close(inner.double(), exact[:, :, 1:-1, 1:-1], rtol=0, atol=tolerance)

    def test_plain_where_it_would_not_help(self):
        conv = nn.Conv2d(64, 64, 3, padding=1)
        fast, image = WinogradConv2d.of(conv), torch.randn(1, 64, 8, 8)
        assert torch.equal(fast(image), conv(image)) and fast._kept is None, 'a small map'
        assert torch.equal(fast.double()(image.double()), conv.double()(image.double()))
        large = torch.randn(1, 64, 60, 60, dtype=torch.float64, requires_grad=True)
        fast(large).sum().backward()
        assert large.grad is not None and fast._kept is None, 'a gradient is asked for'

    @pytest.mark.parametrize('conv', [nn.Conv2d(128, 128, 1), nn.Conv2d(128, 128, 3), nn.Conv2d(128, 128, 3, 2, 1),
                                      nn.Conv2d(128, 128, 3, padding=1, groups=2), nn.Conv2d(16, 128, 3, padding=1),
                                      nn.Conv2d(128, 128, 3, padding=2, dilation=2),
                                      nn.Conv2d(128, 128, 3, padding=1, padding_mode='reflect')])
    def test_other_convolutions_are_left_alone(self, conv):
        assert not WinogradConv2d.takes(conv) and WinogradConv2d.takes(nn.Conv2d(128, 128, 3, padding=1))


@pytest.fixture(scope='module')
def dimp() -> nn.Module:
    return fill(dimpnet18(backbone_pretrained=False, **STOCK_OPTIONS))


class TestTrackingCopy:
    @torch.no_grad()
    def test_same_function(self, dimp):
        """On the whole network, within 1e-5 of the largest number of each output."""
        copied = tracking_copy(dimp)
        images = x('images', (2, 3, 288, 288))
        outputs = []
        for net in (dimp, copied):
            backbone = net.extract_backbone_features(images)
            regressor, layers = net.bb_regressor, net.get_backbone_bbreg_feat(backbone)
            outputs.append([*layers, net.extract_classification_feat(backbone), *regressor.get_iou_feat(layers),
                            *regressor.get_modulation(layers, TRAIN_BOXES[0])])
        for one, other in zip(*outputs, strict=True):
            assert (one - other).abs().max() < 1e-5 * one.abs().max()

    def test_folds_all_and_leaves_the_network_alone(self, dimp):
        before = {key: value.clone() for key, value in dimp.state_dict().items()}
        copied = tracking_copy(dimp)
        assert not [name for name, module in copied.named_modules() if isinstance(module, nn.BatchNorm2d)]
        assert sum(isinstance(module, nn.BatchNorm2d) for module in dimp.modules()) > 20
        assert not any(isinstance(module, WinogradConv2d) for module in dimp.modules())
        assert not any(parameter.requires_grad for parameter in copied.parameters())
        for parameter in copied.parameters():
            parameter.data.zero_()
        after = dimp.state_dict()
        assert after.keys() == before.keys() and all(torch.equal(after[key], before[key]) for key in before)

    def test_keeps_norms_that_it_cannot_place(self):
        class Unusual(nn.Module):
            def __init__(self):
                super().__init__()
                self.conv, self.bn = nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4)

        net = nn.Sequential(Unusual(), nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4, track_running_stats=False),
                            nn.ReLU(), nn.BatchNorm2d(4))
        copied = tracking_copy(net)
        assert isinstance(copied[0].bn, nn.BatchNorm2d), 'who knows in which order it applies them'
        assert isinstance(copied[2], nn.BatchNorm2d) and isinstance(copied[4], nn.BatchNorm2d)

    @torch.no_grad()
    def test_folded_block(self):
        block = conv_block(5, 7).eval()
        block[1].running_mean.normal_()
        block[1].running_var.uniform_(0.5, 2)
        image = torch.randn(2, 5, 6, 6)
        copied = tracking_copy(block)
        torch.testing.assert_close(copied(image), block(image), rtol=1e-5, atol=1e-5)
        assert isinstance(copied[1], nn.Identity)

    def test_a_tracker_sees_the_copy(self, dimp):
        wrapped = NetWithBackbone(dimp, use_gpu=False)
        wrapped.initialize()
        assert wrapped.net is not dimp and not any(isinstance(m, nn.BatchNorm2d) for m in wrapped.net.modules())
        assert wrapped.bb_regressor is wrapped.net.bb_regressor


@settings(max_examples=100, deadline=None)
@given(size=st.tuples(st.integers(3, 90), st.integers(3, 90)), pos=st.tuples(st.floats(-90, 180), st.floats(-90, 180)),
       side=st.floats(2, 160), mode=st.sampled_from(['replicate', 'inside', 'inside_major']))
def test_a_crop_has_the_clamped_pixels_of_its_window(size, pos, side, mode):
    """Index by index, as the stock toolkit is specified: from trunc(top left) on, border replicated."""
    rows, columns = np.arange(size[0]), np.arange(size[1])
    image = np.stack(np.broadcast_arrays(rows[:, None], columns, 7), axis=-1).astype(np.uint8)
    image_sz, centre, out = np.array(size), np.array(pos), np.array([24.0, 24.0])
    window = crop_window(image_sz, centre, np.full(2, side), out, mode)
    for axis, line, there in ((0, window.rows, rows), (1, window.columns, columns)):
        taken = there[line.inside]
        found = np.concatenate((np.repeat(taken[:1], line.before), taken, np.repeat(taken[-1:], line.after)))
        step = line.inside.step
        first = int(window.top_left[axis] / step) * step + line.inside.start % step
        expected = np.arange(len(found)) * step + first
        last = line.inside.start % step + (int(np.ceil((size[axis] - line.inside.start % step) / step)) - 1) * step
        np.testing.assert_array_equal(found, np.clip(expected, line.inside.start % step, last))
        assert len(found) == int(window.bottom_right[axis] / step) - int(window.top_left[axis] / step)
    patch, _ = sample_patch(image, centre, np.full(2, side), out, mode)
    assert patch.shape == (1, 3, 24, 24) and (patch[:, 2] - 7).abs().max() < 1e-4
    assert patch[:, 0].max() < size[0] - 1 + 1e-3 and patch[:, 1].max() < size[1] - 1 + 1e-3


def test_frames_that_torch_does_not_take():
    """Read-only frames, and views with strides of their own, as from a colour swap."""
    image = np.random.default_rng(0).integers(0, 255, (60, 80, 3), dtype=np.uint8)
    args = np.array([30.0, 40.0]), np.array([20.0, 20.0]), np.array([16.0, 16.0])
    expected, _ = sample_patch(image, *args)
    frozen, swapped = image.copy(), image[..., ::-1]
    frozen.flags.writeable = False
    assert torch.equal(sample_patch(frozen, *args)[0], expected)
    assert torch.equal(sample_patch(swapped, *args)[0], expected.flip(1))
