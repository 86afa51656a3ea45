"""The parts of a network as ONNX files, with a JSON that says what goes in and comes out."""

from __future__ import annotations

import importlib.util
import json
import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import torch

from cmd_plugin import checkpoints, networks
from cmd_plugin.data.processing import IMAGENET_MEAN, IMAGENET_STD
from cmd_plugin.errors import UserError
from cmd_plugin.export.parts import Part, parts_of

OPSET = 17
DESCRIPTION = 'export.json'
BOXES = 'x, y, w, h; px of the crop, x and y of the top left corner'
INSTALL = "pip install 'cmd-tracking[onnx]'"
TOLERANCE = 1e-3
"""Largest difference to torch, relative to the largest output, that an export may have."""


def export(path: Path, out: Path) -> list[str]:
    """Write every part of the network of a checkpoint.

    Args:
        path: `.pth.tar`, or `.safetensors` with its `.json`.
        out: folder; gets `PART.onnx` for every part, and `export.json`.

    Returns:
        Lines for the user.

    Raises:
        UserError: no such network, one that has other parts, no exporter, a folder that cannot be written, or a file
            that does not compute what torch computes.
    """
    net, contents = checkpoints.load(path)
    info = contents.get('net_info')
    info = info if isinstance(info, dict) else {}
    crop_size = int(info.get('crop_size', networks.crop_size(net)))
    parts = parts_of(net, crop_size)
    lines = []
    for part in parts:
        file = out / f'{part.name}.onnx'
        with _placed(file) as temporary:
            to_onnx(part, temporary)
            told = check(temporary, part)
        lines.append(f'{file}: {part.about} ({told})')
    said = {
        'network': contents['constructor'].fun_name, 'epoch': contents.get('epoch'), 'recipe': info.get('recipe'),
        'weights_sha256': checkpoints.fingerprint(net), 'opset': OPSET,
        'image': {'size': [crop_size, crop_size], 'channels': 'RGB', 'range': 'x / 255, minus mean, over std',
                  'mean': IMAGENET_MEAN, 'std': IMAGENET_STD},
        'boxes': BOXES, 'free_axes': 'a string in a shape names an axis of any length',
        'parts': [describe(part) for part in parts]}
    with _placed(out / DESCRIPTION) as temporary:
        temporary.write_text(json.dumps(said, indent=1) + '\n', encoding='utf-8')
    return lines


def describe(part: Part) -> dict[str, Any]:
    """What `export.json` says of a part: names and shapes of its tensors, all float32."""
    with torch.no_grad():
        outputs = part.module(*part.example)
    return {'file': f'{part.name}.onnx', 'about': part.about,
            **{side: {name: [part.axes(name).get(axis, length) for axis, length in enumerate(tensor.shape)]
                      for name, tensor in zip(names, tensors, strict=True)}
               for side, names, tensors in (('inputs', part.inputs, part.example), ('outputs', part.outputs, outputs))}}


def to_onnx(part: Part, file: Path, dynamo: bool | None = None) -> None:
    """Write a part as ONNX.

    Args:
        part: what to export.
        file: where to.
        dynamo: torch's newer exporter, which needs `onnxscript`, or its older one, which later versions of torch may
            lack; by default the older one where it is.

    Raises:
        UserError: `onnx` is missing, or `onnxscript` where the newer exporter is needed.
    """
    if dynamo is None:
        dynamo = importlib.util.find_spec('torch.onnx.utils') is None
    missing = [name for name in ('onnx', *(['onnxscript'] if dynamo else [])) if importlib.util.find_spec(name) is None]
    if missing:
        raise UserError(f'torch exports with {" and ".join(missing)}, which is missing: {INSTALL}')
    free = {name: part.axes(name) for name in (*part.inputs, *part.outputs)}
    names: dict[str, Any] = {'input_names': list(part.inputs), 'output_names': list(part.outputs)}
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # of torch about itself: deprecations, shapes that are known to be fixed
        if not dynamo:
            torch.onnx.export(part.module, part.example, str(file), dynamo=False, dynamic_axes=free,
                              opset_version=OPSET, **names)
            return
        logging.getLogger('torch.onnx').setLevel(logging.ERROR)
        shapes = tuple({axis: torch.export.Dim(label) for axis, label in free[name].items()} for name in part.inputs)
        program = torch.onnx.export(part.module, part.example, dynamo=True, dynamic_shapes=(shapes,),
                                    opset_version=OPSET + 1, verbose=False, **names)  # 18 is its first
    assert program is not None
    program.save(str(file), external_data=False)


def check(file: Path, part: Part) -> str:
    """Compare a file with torch on the part's example, and on one of another length of the free axes.

    Returns:
        What was found, for the user; that nothing was compared where `onnxruntime` is missing.

    Raises:
        UserError: it computes something else.
    """
    if importlib.util.find_spec('onnxruntime') is None:
        return f'not compared with torch: onnxruntime is missing, {INSTALL}'
    worst = max(difference(file, part, part.example), difference(file, part, one(part)))
    if not worst <= TOLERANCE:
        raise UserError(f'{part.name}: the exported file differs from torch {torch.__version__} by {worst:.1e} of its '
                        'largest value; nothing was written')
    return f'differs from torch by {worst:.0e} of its largest value'


def one(part: Part) -> tuple[torch.Tensor, ...]:
    """The part's example with one image, and one box less."""
    return tuple(tensor[:1, :-1] if len(part.axes(name)) == 2 else tensor[:1]
                 for name, tensor in zip(part.inputs, part.example, strict=True))


def difference(file: Path, part: Part, inputs: tuple[torch.Tensor, ...]) -> float:
    """Largest difference between file and torch over the largest value, of all outputs."""
    import onnxruntime
    session = onnxruntime.InferenceSession(file.read_bytes(), providers=['CPUExecutionProvider'])
    found = session.run(list(part.outputs), {name: tensor.numpy() for name, tensor in
                                             zip(part.inputs, inputs, strict=True)})
    with torch.no_grad():
        wanted = part.module(*inputs)
    return max(float((torch.from_numpy(a) - b).abs().max() / b.abs().max().clamp(min=1e-6))
               for a, b in zip(found, wanted, strict=True))


@contextmanager
def _placed(file: Path) -> Iterator[Path]:
    """A temporary file that takes the place of `file`, whole, when the block ends without an error."""
    temporary = file.with_name(f'.{file.name}.tmp')
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        os.replace(temporary, file)
    except OSError as error:
        raise UserError(f'cannot write {file}: {error.strerror or error}; make room or choose another '
                        'folder') from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
