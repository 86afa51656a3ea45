"""The settings of one training run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ltr.admin.environment import env_settings

# Flags, and attributes that settings modules add, whose change makes a resumed run another one than the run that began.
TELLING = ('seed', 'data', 'init', 'net', 'samples', 'batch', 'lr_scale', 'mix', 'teacher', 'teacher_sha256',
           'precision')


class Settings:
    """Bag of attributes that a settings module fills and the trainer reads; any attribute may be added.

    Attributes:
        env: folders of this machine (`EnvironmentSettings`).
        module_name, script_name, project_path: set by `run_training`; checkpoints go to
            `{env.workspace_dir}/checkpoints/{project_path}`.
        description: one line about the run.
        device: 'auto', 'cpu', 'cuda', 'cuda:1' or 'mps'.
        use_gpu: False has the meaning of `device = 'cpu'`.
        move_data_to_gpu: move each batch to the device.
        seed: of everything random.
        print_interval: steps between two printed lines where there is no terminal for a progress bar; 0 for
            none.
        print_stats: names of the statistics that are shown; None for all.
        precision: that convolutions and matrix products of a step compute in (autocast): 'float32' or 'bfloat16', which
            is faster where the processor has it; weights and what the optimiser keeps stay float32.
        grad_clip_max_norm: largest norm of the gradient, which is scaled down to it; None for no limit.
        grad_norm_limit: norm of the gradient (before that) above which the run stops; None: where it is not finite.
        keep_checkpoints: how many of the newest checkpoints stay; None for all.
        given: names of the flags of `run_training` that were given.
        data, init, net, epochs, samples, batch, lr_scale, workers, replay, use_visdom, visdom_server, visdom_port:
            given flags of `run_training`, None where not given; read them with `option`.
    """

    def __init__(self) -> None:
        self.env = env_settings()
        self.module_name = ''
        self.script_name = ''
        self.project_path = 'ltr/unnamed'
        self.description = ''
        self.device = 'auto'
        self.use_gpu = True
        self.move_data_to_gpu = True
        self.seed = 0
        self.print_interval = 100
        self.print_stats: list[str] | None = None
        self.precision = 'float32'
        self.grad_clip_max_norm: float | None = None
        self.grad_norm_limit: float | None = None
        self.keep_checkpoints: int | None = None
        self.given: tuple[str, ...] = ()
        self.data: list[Path] | None = None
        self.init: Path | None = None
        self.net: str | None = None
        self.epochs: int | None = None
        self.samples: int | None = None
        self.batch: int | None = None
        self.lr_scale: float | None = None
        self.workers: int | None = None
        self.replay: Path | None = None
        self.use_visdom: bool | None = None
        self.visdom_server: str | None = None
        self.visdom_port: int | None = None

    def option(self, name: str, default: Any) -> Any:
        """The attribute `name` (a flag of `run_training`), or `default` when it is absent or None."""
        value = getattr(self, name, None)
        return default if value is None else value

    def changes_since(self, saved: Settings) -> list[str]:
        """What is different from a run with settings `saved` and makes this another run; 'seed 0 -> 1'."""
        before, now = vars(saved), self.__getstate__()
        return [f'{name} {before[name]} -> {now.get(name)}' for name in TELLING
                if name in before and before[name] != now.get(name)]

    def __getattr__(self, name: str) -> Any:
        # Only reached for what is absent; declared so that settings modules may add attributes of their own.
        raise AttributeError(f'the settings have no {name!r}')

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    def __getstate__(self) -> dict[str, Any]:
        """What a checkpoint keeps: plain data. `env` is left out, it means nothing on another machine."""
        plain = {name: _plain(value) for name, value in vars(self).items() if name != 'env'}
        return {name: value for name, value in plain.items() if value is not _NOT_PLAIN}


_NOT_PLAIN = object()


def _plain(value: Any) -> Any:
    """`value` as JSON-like data (paths become strings), or `_NOT_PLAIN`."""
    if value is None or isinstance(value, bool):
        return value
    for kind in (int, float, str):
        if isinstance(value, kind):  # the plain type, also of numpy's and other subclasses
            return kind(value)
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, (list, tuple)):
        items = [_plain(item) for item in value]
        return _NOT_PLAIN if _NOT_PLAIN in items else items if isinstance(value, list) else tuple(items)
    if isinstance(value, dict) and all(isinstance(key, (str, int)) for key in value):
        pairs = {_plain(key): _plain(item) for key, item in value.items()}
        return _NOT_PLAIN if _NOT_PLAIN in pairs.values() else pairs
    return _NOT_PLAIN
