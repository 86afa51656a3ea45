"""Put generated worlds on disk, in the layouts that the readers of real data read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cmd_plugin.pictures import write_picture

from .plan import plan_world, stream
from .render import SIZE, VIEWS, film, render
from .store import Progress, fill_folder

SCENE_STRIDE = 20


def write_video(
    root: Path | str,
    modality: str,
    seed: int = 0,
    sequences: int = 60,
    length: int = 30,
    size: tuple[int, int] = SIZE,
    *,
    split: str = 'train',
    daylight: bool = False,
    progress: Progress = True,
) -> Path:
    """Write labelled sequences in LSOTB layout.

    `<root>/<class>_<nnn>/img/0001.jpg ...` and `groundtruth_rect.txt` (one line `x,y,w,h` a frame, px, two
    decimals); RGB files have three channels, TIR files one. `world.json` holds arguments and attributes.

    Args:
        root: folder to make; a finished one with the same arguments is reused, a half-written one made again.
        modality: 'rgb' or 'tir'.
        seed: >= 0.
        sequences: number of worlds.
        length: frames of each.
        size: (width, height), px.
        split: worlds of differing modality or split are disjoint, whatever the seeds.
        daylight: no nights, as in most labelled RGB video.
        progress: see `Progress`; counts sequences.

    Returns:
        The folder.

    Raises:
        UserError: the folder holds other files.
        ValueError: unknown modality, bad seed, length, size or number of sequences.
    """
    if modality not in VIEWS:
        raise ValueError(f'modality must be one of {VIEWS} (got {modality!r})')
    if sequences < 1:
        raise ValueError(f'sequences must be >= 1 (got {sequences})')
    arguments = {
        'writer': 'video',
        'modality': modality,
        'seed': seed,
        'sequences': sequences,
        'length': length,
        'size': list(size),
        'split': split,
        'daylight': daylight,
    }

    def make(folder: Path, index: int) -> dict[str, Any]:
        clip = render(seed, length, size, purpose=f'video/{modality}/{split}', index=index, views=(modality,),
                      daylight=daylight)
        images = folder / clip.name / 'img'
        images.mkdir(parents=True)
        for t, image in enumerate(clip.rgb if modality == 'rgb' else clip.tir):
            write_picture(images / f'{t + 1:04d}.jpg', image)
        lines = [','.join(f'{value:.2f}' for value in box) for box in clip.boxes]
        (folder / clip.name / 'groundtruth_rect.txt').write_text('\n'.join(lines) + '\n', encoding='ascii')
        return {clip.name: list(clip.attributes)}

    return fill_folder(root, arguments, sequences, progress, make)


def write_pairs(
    root: Path | str,
    seed: int = 0,
    pairs: int = 400,
    size: tuple[int, int] = SIZE,
    *,
    per_scene: int = 4,
    split: str = 'train',
    progress: Progress = True,
) -> Path:
    """Write unlabelled, aligned RGB-TIR pairs: `<root>/visible/NAME.jpg` and `<root>/infrared/NAME.jpg`.

    NAME is `<scene>_<frame>`.

    Args:
        root: folder to make; a finished one with the same arguments is reused, a half-written one made again.
        seed: >= 0.
        pairs: number of pairs.
        size: (width, height), px.
        per_scene: pairs of each scene, `SCENE_STRIDE` frames apart.
        split: worlds of differing splits are disjoint; so are pairs and video.
        progress: see `Progress`; counts scenes.

    Returns:
        The folder.

    Raises:
        UserError: the folder holds other files.
        ValueError: bad seed, size or number of pairs.
    """
    if pairs < 1 or per_scene < 1:
        raise ValueError(f'pairs and per_scene must be >= 1 (got {pairs}, {per_scene})')
    arguments = {
        'writer': 'pairs',
        'seed': seed,
        'pairs': pairs,
        'size': list(size),
        'per_scene': per_scene,
        'split': split,
    }

    def make(folder: Path, index: int) -> dict[str, Any]:
        count = min(per_scene, pairs - index * per_scene)
        frames = [k * SCENE_STRIDE for k in range(count)]
        sequence = stream(seed, f'pairs/{split}', index)
        world = plan_world(sequence, (per_scene - 1) * SCENE_STRIDE + 1, size, crowd=True)
        rgb, tir = film(world, sequence, frames)
        for twin, images in (('visible', rgb), ('infrared', tir)):
            (folder / twin).mkdir(exist_ok=True)
            for t, image in zip(frames, images, strict=True):
                write_picture(folder / twin / f'{index:05d}_{t:03d}.jpg', image)
        return {f'{index:05d}': list(world.flags)}

    return fill_folder(root, arguments, -(-pairs // per_scene), progress, make)
