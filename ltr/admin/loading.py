"""Networks and weights from files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from ltr.admin import checkpoint as files
from ltr.admin import portable
from ltr.admin.environment import env_settings
from ltr.admin.errors import UserError
from ltr.admin.model_constructor import NetConstructor

SAFETENSORS = portable.SUFFIX
# Parts of a classification backbone that no tracker here reads; weight files of the first three stages lack
# them.
UNUSED = ('layer4.', 'fc.')


def load_network(network_dir: str | Path | None = None, checkpoint: int | str | Path | None = None,
                 constructor_fun_name: str | None = None, constructor_module: str | None = None,
                 **kwargs: Any) -> tuple[nn.Module, dict[str, Any]]:
    """Rebuild a network from a checkpoint and load its weights.

    Args:
        network_dir: a checkpoint file, `.pth.tar` or `.safetensors` with its `.json`, or a folder of them; a relative
            one is looked for from the current directory, then under `{workspace_dir}/checkpoints`, which is also the
            default.
        checkpoint: epoch number in the folder, or a file (name in the folder, or path); default: the newest
            `*_ep????.pth.tar`.
        constructor_fun_name, constructor_module: build with this registered network instead of the recorded
            one.
        kwargs: arguments that take the place of the recorded ones. Pretrained weights are never fetched.

    Returns:
        The network, on the CPU, and the whole checkpoint as a dictionary.

    Raises:
        UserError: nothing found (with the places that were tried), an unsafe or damaged file, a network that
            is not registered, or weights of another network.
    """
    path = _find(network_dir, checkpoint)
    contents = read(path)
    if 'net' not in contents:
        raise UserError(f'{path} holds no network (no key "net"); give a checkpoint')
    constructor = contents.get('constructor')
    if constructor_fun_name is not None:
        recorded = constructor if isinstance(constructor, NetConstructor) else None
        module = constructor_module or (recorded.fun_module if recorded else '')
        constructor = NetConstructor(constructor_fun_name, module, recorded.args if recorded else (),
                                     recorded.kwds if recorded else {})
    if not isinstance(constructor, NetConstructor):
        raise UserError(f'{path} does not say how to build its network (no constructor); '
                        'give constructor_fun_name and constructor_module')
    try:
        net = constructor.get(**kwargs)
    except UserError as error:
        raise UserError(f'{path}: {error}') from error
    strict_load(net, contents['net'], path)
    # The loaded network goes into further checkpoints, which must be able to build it again.
    object.__setattr__(net, 'constructor', constructor)
    if contents.get('net_info') is not None:
        object.__setattr__(net, 'info', contents['net_info'])
    return net, contents


def read(path: Path) -> dict[str, Any]:
    """Contents of a checkpoint in either form. Raises as `checkpoint.read` and `portable.read`."""
    return portable.read(path) if path.suffix == SAFETENSORS else files.read(path)


def load_weights(net: nn.Module, path: str | Path) -> str:
    """Load initial weights (`--init PATH`) into `net` in place.

    Args:
        net: the network.
        path: a checkpoint (ours or the stock toolkit's), a file with a bare state dictionary, or
            `.safetensors`.

    Returns:
        One line that says what was loaded.

    Raises:
        UserError: no such file, a damaged one, or weights of another network.
    """
    return load_state(net, weights_of(path), path)


def weights_of(path: str | Path) -> Mapping[str, Tensor]:
    """The weights in a file, as `load_weights` takes it.

    Raises:
        UserError: no such file, a damaged one, or one without weights.
    """
    path = Path(path)
    if path.suffix == SAFETENSORS and not portable.description_of(path).is_file():
        return portable.read_weights(path)
    contents = read(path)
    return _weights(contents.get('net', contents), path)


def load_state(net: nn.Module, state: Mapping[str, Any], path: str | Path) -> str:
    """Load a state dictionary: of the whole network, or of its ResNet backbone alone.

    A backbone file has torchvision's names (`conv1 ... layer3`) and goes into `net.feature_extractor`. It may
    lack `layer4` and `fc`, which trackers do not use: these keep their initial values. Nothing else may be
    missing.

    Args:
        net: the network; unchanged when an error is raised.
        state: names to tensors.
        path: where it comes from, for messages.

    Returns:
        One line that says what was loaded.

    Raises:
        UserError: weights of another network.
    """
    backbone = getattr(net, 'feature_extractor', None)
    if not (isinstance(backbone, nn.Module) and 'conv1.weight' in state):
        strict_load(net, state, path)
        return f'{path}: weights of the whole network ({len(state)} tensors)'
    own = backbone.state_dict()
    kept = {key: value for key, value in own.items() if key.startswith(UNUSED) and key not in state}
    strict_load(backbone, {**kept, **state}, path)
    parts = ' and '.join(sorted({key.split('.')[0] for key in kept}, reverse=True))
    note = f'; {parts} keep their initial values' if parts else ''
    return f'{path}: weights of the backbone ({len(state)} tensors){note}'


def strict_load(net: nn.Module, state: Any, path: str | Path) -> None:
    """Load a whole state dictionary; weights of another network are a `UserError` before any change."""
    state, own = _weights(state, path), net.state_dict()
    # Files older than torch 0.4.1 lack the counters of batch norm, which eval mode does not read.
    missing = [key for key in own if key not in state and not key.endswith('num_batches_tracked')]
    unexpected = [key for key in state if key not in own]
    shapes = [key for key in own if key in state and own[key].shape != state[key].shape]
    if missing or unexpected or shapes:
        first = [f'missing {key}' for key in missing[:1]] + [f'unexpected {key}' for key in unexpected[:1]]
        first += [f'{key} {tuple(state[key].shape)} for {tuple(own[key].shape)}' for key in shapes[:1]]
        raise UserError(f'{path} is of another network than {type(net).__name__}: {len(missing)} tensors '
                        f'missing, {len(unexpected)} unexpected, {len(shapes)} of another shape; '
                        f'first: {", ".join(first)}')
    net.load_state_dict(dict(state), strict=False)


def _weights(state: Any, path: str | Path) -> Mapping[str, Tensor]:
    """`state`, which must be names and tensors; else `UserError`."""
    if not isinstance(state, Mapping):
        raise UserError(f'{path} holds no weights but a {type(state).__name__}')
    wrong = [key for key, value in state.items() if not (isinstance(key, str) and isinstance(value, Tensor))]
    if wrong or not state:
        raise UserError(f'{path} holds no weights: {f"{wrong[0]!r} is no tensor" if wrong else "empty"}')
    return state


def _find(network_dir: str | Path | None, checkpoint: int | str | Path | None) -> Path:
    root = Path(env_settings().workspace_dir) / 'checkpoints'
    given = Path(network_dir).expanduser() if network_dir is not None else root
    tried: list[Path] = []
    for place in dict.fromkeys((given, root / given)):
        if place.is_file():
            return place
        if isinstance(checkpoint, (str, Path)):
            for file in (place / checkpoint, Path(checkpoint).expanduser()):
                if file.is_file():
                    return file
        else:
            found = files.newest(place, number=checkpoint)
            if found is not None:
                return found
        tried.append(place)
    wanted = 'checkpoint' if checkpoint is None else f'checkpoint {checkpoint}'
    named = isinstance(checkpoint, (str, Path))
    places = ' and '.join(map(str, [*tried, *([Path.cwd()] if named else [])]))
    raise UserError(f'no {wanted} found; looked for {checkpoint if named else f"*_ep????{files.SUFFIX}"} in {places}')
