"""Networks that know how they were built, so that a checkpoint can say which function makes its network."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from torch import nn

from ltr.admin import plugins
from ltr.admin.errors import UserError

P = ParamSpec('P')
Net = TypeVar('Net', bound=nn.Module)
LEGACY_PREFIX = 'dlframework.'
GROUP = 'pytracking.networks'


class NetConstructor:
    """Which function made a network, and with which arguments.

    Checkpoints hold this class under the path `ltr.admin.model_constructor.NetConstructor`; do not move it.

    Args:
        fun_name: name of the function, for example `dimpnet50`.
        fun_module: module that defines it, for example `ltr.models.tracking.dimpnet`.
        args: positional arguments of the call.
        kwds: keyword arguments of the call.
    """

    def __init__(self, fun_name: str, fun_module: str, args: tuple[Any, ...] = (),
                 kwds: dict[str, Any] | None = None) -> None:
        self.fun_name = fun_name
        self.fun_module = fun_module
        self.args = args
        self.kwds = {} if kwds is None else kwds

    def function(self) -> Callable[..., nn.Module]:
        """The registered function that this constructor names.

        A checkpoint comes from anywhere, so the name is never imported as it stands: it must be that of a
        registered network (group `pytracking.networks`), and module and function must agree with it.

        Raises:
            UserError: anything else, such as `os.system`.
        """
        name, module = str(self.fun_name), str(self.fun_module).removeprefix(LEGACY_PREFIX)
        if name not in plugins.names(GROUP):
            raise UserError(f'refused to build a network with {module}.{name}: '
                            + plugins.unknown('network', name, plugins.names(GROUP)))
        function = plugins.load(GROUP, name)
        if function.__module__ != module or function.__name__ != name:
            raise UserError(f'refused to build a network with {module}.{name}: '
                            f'the registered network {name!r} is {function.__module__}.{function.__name__}')
        return function

    def get(self, **overrides: Any) -> nn.Module:
        """Build the network, without fetching pretrained backbone weights.

        Args:
            overrides: arguments that take the place of recorded ones. `backbone_pretrained` is always False,
                since the weights of the checkpoint follow.

        Raises:
            UserError: the function is not registered, or does not know the recorded arguments.
        """
        function = self.function()
        try:
            bound = inspect.signature(function).bind(*self.args, **{**self.kwds, **overrides})
        except TypeError as error:
            raise self._unfit(error) from error
        if 'backbone_pretrained' in inspect.signature(function).parameters:
            bound.arguments['backbone_pretrained'] = False
        try:
            return function(*bound.args, **bound.kwargs)
        except (TypeError, ValueError, RuntimeError, ArithmeticError, LookupError) as error:
            raise self._unfit(error) from error

    def _unfit(self, error: Exception) -> UserError:
        reason = ' '.join(str(error).split())[:160]
        return UserError(f'network {self.fun_name}: the recorded arguments do not fit: {reason}; take the file to the '
                         'toolkit that wrote it')


def model_constructor(function: Callable[P, Net]) -> Callable[P, Net]:
    """Decorator: the module that `function` returns gets `.constructor`, a `NetConstructor` of the call.

    Arguments should be plain data (numbers, strings, lists, dictionaries), since checkpoints hold them.
    """
    @wraps(function)
    def construct(*args: P.args, **kwargs: P.kwargs) -> Net:
        net = function(*args, **kwargs)
        # Not through Module.__setattr__'s typing: the attribute is plain data, not a parameter or submodule.
        object.__setattr__(net, 'constructor',
                           NetConstructor(function.__name__, function.__module__, args, dict(kwargs)))
        return net
    return construct
