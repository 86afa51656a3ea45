"""In-memory mends for what new versions of Python and torch have taken away from the stock toolkit.

Each is looked at when its time has come: at once, after the import of a module, or when a module is asked for that
it can stand in for. It is applied where `needed` gives a reason, and only there. Nothing on disk changes. Imported at
the start of the interpreter: standard library only, torch inside functions.
"""

from __future__ import annotations

import collections
import collections.abc
import functools
import importlib
import importlib.util
import io
import sys
import warnings
from collections.abc import Callable
from types import ModuleType
from typing import Any, ClassVar

EXTERNAL = 'ltr.external'


class Mend:
    """One mend.

    Attributes:
        name: what it gives back.
        after: module after whose import it is looked at; '' at once.
        applied: why it has been applied in this process; `None` where it has not.
    """

    name: ClassVar[str]
    after: ClassVar[str]
    applied: str | None = None

    def needed(self) -> str | None:
        """Why it is needed here; `None` where it is not."""
        raise NotImplementedError

    def apply(self) -> None:
        """Give back what is missing."""
        raise NotImplementedError


class CollectionsNames(Mend):
    """`collections.Mapping`, `collections.Sequence` and their kin."""

    name, after = 'collections.Mapping, collections.Sequence ...', ''

    def needed(self) -> str | None:
        """Python 3.10 removed them."""
        return None if hasattr(collections, 'Mapping') else 'Python 3.10 moved them to collections.abc'

    def apply(self) -> None:
        """Put the classes of `collections.abc` beside those of `collections`."""
        for name in collections.abc.__all__:
            if not hasattr(collections, name):
                setattr(collections, name, getattr(collections.abc, name))


class ModelUrls(Mend):
    """`torchvision.models.resnet.model_urls`."""

    name, after = 'torchvision.models.resnet.model_urls', 'torchvision.models.resnet'

    def needed(self) -> str | None:
        """torchvision 0.13 removed it."""
        return None if hasattr(sys.modules[self.after], 'model_urls') else 'torchvision 0.13 has weights instead'

    def apply(self) -> None:
        """Make the dictionary of the addresses that torchvision's own weights name."""
        module: Any = sys.modules[self.after]
        suffix = '_Weights'
        module.model_urls = {name.removesuffix(suffix).lower(): getattr(module, name).IMAGENET1K_V1.url
                             for name in dir(module)
                             if name.endswith(suffix) and hasattr(getattr(module, name), 'IMAGENET1K_V1')}


class RealTransforms(Mend):
    """`torch.rfft` and `torch.irfft`, which ATOM's upsampling of scores calls."""

    name, after = 'torch.rfft, torch.irfft', 'torch'

    def needed(self) -> str | None:
        """torch 1.8 removed them."""
        return None if hasattr(sys.modules['torch'], 'rfft') else 'torch 1.8 has torch.fft instead'

    def apply(self) -> None:
        """Put both back in terms of `torch.fft`."""
        from cmd_plugin.upstream import transforms
        torch: Any = sys.modules['torch']
        torch.rfft, torch.irfft = transforms.rfft, transforms.irfft


class SafeGlobals(Mend):
    """Reading of the toolkit's own checkpoints under torch's check for unsafe contents, which stays on."""

    name, after = 'classes that torch.load may read', 'ltr'

    def needed(self) -> str | None:
        """torch 2.6 reads with `weights_only=True`, and refuses all classes that it is not told of."""
        import torch
        buffer = io.BytesIO()
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            torch.save(_Probe(), buffer)
            buffer.seek(0)
            try:
                torch.load(buffer)
            except Exception:  # whatever class the version at hand refuses with
                return 'torch 2.6 reads with weights_only=True'
        return None

    def apply(self) -> None:
        """Tell torch of them at the first `torch.load`: only then is everything imported that they come from."""
        import torch
        load = torch.load

        @functools.wraps(load)
        def telling(*args: Any, **kwargs: Any) -> Any:
            from cmd_plugin.upstream.reading import allowed
            torch.serialization.add_safe_globals(allowed())
            return load(*args, **kwargs)
        torch.load = telling


class _Probe:
    """A class that torch has not been told of."""


class PrRoIPooling(Mend):
    """Precise RoI pooling in plain torch in place of the extension that must be compiled."""

    name, after = f'{EXTERNAL}.PreciseRoIPooling', EXTERNAL
    module = f'{name}.pytorch.prroi_pool'
    modules = (EXTERNAL, name, f'{name}.pytorch', module, f'{module}.prroi_pool', f'{module}.functional')

    def needed(self) -> str | None:
        """The sources are a submodule that is often not there, and their kernel is for CUDA only."""
        import torch
        if not torch.cuda.is_available():
            return 'no CUDA device: the extension has no CPU kernel'
        from torch.utils import cpp_extension  # warns where there is no CUDA
        if cpp_extension.CUDA_HOME is None:
            return 'no CUDA toolkit: the extension cannot be compiled'
        if importlib.util.find_spec('ninja') is None:
            return 'no ninja: the extension cannot be compiled'
        return None if self._has_sources() else 'its submodule is not in the checkout'

    def _has_sources(self) -> bool:
        from importlib.machinery import PathFinder
        path = list(sys.modules['ltr'].__path__)
        for name in ('external', 'PreciseRoIPooling', 'pytorch', 'prroi_pool'):
            spec = PathFinder.find_spec(name, path)
            if spec is None or spec.submodule_search_locations is None:
                return False
            path = list(spec.submodule_search_locations)
        return spec is not None and spec.origin is not None

    def apply(self) -> None:
        """Nothing yet: the modules are made when they are asked for."""

    def fill(self, module: ModuleType) -> None:
        """Contents of the modules that stand in."""
        if module.__name__.startswith(self.module):
            pooling = importlib.import_module('cmd_plugin.upstream.prroi')
            for name in ('PrRoIPool2D', 'prroi_pool2d'):
                setattr(module, name, getattr(pooling, name))


MENDS: tuple[Mend, ...] = (CollectionsNames(), ModelUrls(), RealTransforms(), SafeGlobals(), PrRoIPooling())
MODULES = frozenset(mend.after for mend in MENDS)


def look_at(after: str) -> None:
    """Apply what is needed after the import of a module, or at once ('')."""
    for mend in MENDS:
        if mend.after == after and mend.applied is None:
            reason = mend.needed()
            if reason is not None:
                mend.apply()
                mend.applied = reason


def shim(name: str) -> Callable[[ModuleType], None] | None:
    """What fills the module `name`, where a mend stands in for it."""
    if name not in PrRoIPooling.modules:
        return None
    mend = next(mend for mend in MENDS if isinstance(mend, PrRoIPooling))
    if mend.applied is None and name != EXTERNAL:
        look_at(mend.after)
    return mend.fill if mend.applied is not None else None
