"""What the mends give back is what was there; a mend that is not needed does nothing."""

from __future__ import annotations

import collections
import collections.abc
import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch

from cmd_plugin.upstream import mends, prroi, transforms


@pytest.fixture
def mend_named(monkeypatch):
    """A fresh mend of a class, in place of the one of this process."""
    def make(kind: type[mends.Mend]) -> mends.Mend:
        mend = kind()
        monkeypatch.setattr(mends, 'MENDS', (mend,))
        return mend
    return make


def test_collections(mend_named, monkeypatch):
    bare = ModuleType('collections')
    bare.OrderedDict, bare.abc = collections.OrderedDict, collections.abc
    monkeypatch.setattr(mends, 'collections', bare)
    mend = mend_named(mends.CollectionsNames)
    mends.look_at('')
    assert mend.applied and bare.Mapping is collections.abc.Mapping and bare.Sequence is collections.abc.Sequence
    again = mend_named(mends.CollectionsNames)
    mends.look_at('')
    assert again.applied is None, 'it is there now'


def test_model_urls(mend_named, monkeypatch):
    resnet = pytest.importorskip('torchvision.models.resnet')
    monkeypatch.delattr(resnet, 'model_urls', raising=False)
    mend = mend_named(mends.ModelUrls)
    mends.look_at('torchvision.models.resnet')
    assert mend.applied
    assert resnet.model_urls['resnet18'] == resnet.ResNet18_Weights.IMAGENET1K_V1.url
    assert {'resnet18', 'resnet34', 'resnet50', 'resnet101'} <= set(resnet.model_urls)
    del resnet.model_urls


@pytest.mark.parametrize('size', [(6, 8), (5, 7)])
@pytest.mark.parametrize('normalized', [False, True])
@pytest.mark.parametrize('onesided', [False, True])
def test_old_fourier_transforms(size, normalized, onesided):
    """Against numpy, and back."""
    signal = torch.randn(2, *size, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = transforms.rfft(signal, 2, normalized, onesided)
    wanted = (np.fft.rfft2 if onesided else np.fft.fft2)(signal.numpy(), norm='ortho' if normalized else None)
    np.testing.assert_allclose(found[..., 0].numpy() + 1j * found[..., 1].numpy(), wanted, atol=1e-12)
    back = transforms.irfft(found, 2, normalized, onesided, signal_sizes=size)
    torch.testing.assert_close(back, signal)


def test_a_torch_that_has_them_keeps_its_own(mend_named, monkeypatch):
    monkeypatch.setitem(sys.modules, 'torch', SimpleNamespace(rfft='its own', irfft='its own'))
    mend = mend_named(mends.RealTransforms)
    mends.look_at('torch')
    assert mend.applied is None and sys.modules['torch'].rfft == 'its own'


def test_safe_globals_are_told_at_the_first_load(mend_named, monkeypatch, tmp_path):
    from ltr.admin.stats import AverageMeter
    meter = AverageMeter()
    meter.update(3.0)
    torch.save({'stats': meter}, tmp_path / 'x.pth')
    monkeypatch.setattr(torch, 'load', torch.load)
    before = torch.serialization.get_safe_globals()
    mend = mend_named(mends.SafeGlobals)
    mends.look_at('ltr')
    try:
        if mend.applied is None:
            pytest.skip('this torch does not check by itself')
        assert torch.load(tmp_path / 'x.pth')['stats'].avg == 3.0
        torch.save({'bad': Planted(tmp_path / 'planted')}, tmp_path / 'y.pth')
        with pytest.raises(Exception, match=r'Weights only load failed|Unsupported'):
            torch.load(tmp_path / 'y.pth')
        assert not (tmp_path / 'planted').exists()
    finally:
        torch.serialization.clear_safe_globals()
        torch.serialization.add_safe_globals(before)


class Planted:
    """Writes a file when it is unpickled without the check."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), 'w')


class TestPrRoI:
    """Numerical parity is the key requirement."""

    def test_golden(self, golden):
        from tests.parity.named_weights import x
        numbers = golden('networks')
        features = x('prroi.feat', (2, 3, 9, 11)).requires_grad_()
        rois = torch.from_numpy(numbers['prroi/rois']).float().requires_grad_()
        out = prroi.PrRoIPool2D(3, 3, 1 / 8)(features, rois)
        (out * x('prroi.cot', tuple(out.shape))).sum().backward()
        found = {'out': out.detach(), 'grad_feat': features.grad, 'grad_rois': rois.grad}
        known = {key: value for key, value in numbers.items() if key.startswith('prroi/') and key != 'prroi/rois'}
        assert len(known) == 3
        for key, value in known.items():
            match = [tensor for tensor in found.values() if tuple(tensor.shape) == value.shape]
            assert match, key
            assert any(np.allclose(tensor.numpy(), value, rtol=2e-3, atol=2e-4) for tensor in match), key

    def test_as_our_own_and_not_square(self):
        from ltr.models.layers.prroi_pool import prroi_pool
        rng = torch.Generator().manual_seed(0)
        features = torch.randn(3, 4, 10, 12, generator=rng)
        corners = torch.rand(7, 2, generator=rng) * 40
        boxes = torch.cat((corners, corners + torch.rand(7, 2, generator=rng) * 50), dim=1)
        image = torch.tensor([2.0, 0, 0, 2, 1, 0, 2])
        rois = torch.cat((image[:, None], boxes), dim=1)
        torch.testing.assert_close(prroi.prroi_pool2d(features, rois, 5, 5, 1 / 8),
                                   prroi_pool(features, rois, 5, 1 / 8))
        wide = prroi.prroi_pool2d(features, rois, 2, 4, 1 / 8)
        assert wide.shape == (7, 4, 2, 4)
        torch.testing.assert_close(wide.mean(dim=(2, 3)), prroi_pool(features, rois, 1, 1 / 8)[..., 0, 0],
                                   rtol=1e-4, atol=1e-5)

    def test_gradient_and_empty(self):
        features = torch.randn(1, 2, 5, 5, dtype=torch.float64, requires_grad=True)
        rois = torch.tensor([[0, 3.1, 4.2, 21.3, 30.4]], dtype=torch.float64, requires_grad=True)
        assert torch.autograd.gradcheck(lambda f, r: prroi.prroi_pool2d(f, r, 2, 3, 1 / 8), (features, rois))
        nothing = torch.tensor([[0, 5.0, 5, 5, 9]], dtype=torch.float64)
        assert (prroi.prroi_pool2d(features, nothing, 2, 2, 1 / 8) == 0).all()
        assert prroi.prroi_pool2d(features, rois[:0], 2, 2, 1 / 8).shape == (0, 2, 2, 2)

    def test_where_the_extension_can_be_compiled_it_stays(self, monkeypatch, tmp_path):
        from torch.utils import cpp_extension
        place = tmp_path / 'ltr' / 'external' / 'PreciseRoIPooling' / 'pytorch' / 'prroi_pool'
        place.mkdir(parents=True)
        ltr = ModuleType('ltr')
        ltr.__path__ = [str(tmp_path / 'ltr')]
        monkeypatch.setitem(sys.modules, 'ltr', ltr)
        monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
        monkeypatch.setattr(cpp_extension, 'CUDA_HOME', '/cuda')
        monkeypatch.setattr(mends.importlib.util, 'find_spec', lambda name: True)
        mend = mends.PrRoIPooling()
        assert mend.needed() == 'its submodule is not in the checkout'
        (place / '__init__.py').touch()
        assert mend.needed() is None
        monkeypatch.setattr(cpp_extension, 'CUDA_HOME', None)
        assert mend.needed() == 'no CUDA toolkit: the extension cannot be compiled'
        monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
        assert 'no CPU kernel' in mend.needed()
