"""How random transforms are composed: one roll of the dice for images, boxes, points and masks alike."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

KINDS = ('image', 'coords', 'bbox', 'mask')


class TransformBase:
    """One step of a `Transform`; subclasses override what they change.

    `roll` draws the random parameters; the other methods get them back as further arguments (a tuple is
    spread, None means no argument). Images are numpy (H, W, C) or, after `ToTensor`, tensors (C, H, W); any
    number of channels. `image_shape` is (H, W) before this step.
    """

    def roll(self) -> Any:
        """Draw the random parameters of one application."""
        return None

    def transform_image(self, image: Any, *rand_params: Any) -> Any:
        """The changed image; the input is left as it is."""
        return image

    def transform_coords(self, coords: Tensor, image_shape: tuple[int, int], *rand_params: Any) -> Tensor:
        """Points (2, n), rows (y, x), image px."""
        return coords

    def transform_bbox(self, bbox: Tensor, image_shape: tuple[int, int], *rand_params: Any) -> Tensor:
        """Box `xywh` (4,), image px: the bounding box of the corners under `transform_coords`."""
        if type(self).transform_coords is TransformBase.transform_coords:
            return bbox
        x, y, w, h = bbox.unbind()
        corners = torch.stack((torch.stack((y, y, y + h, y + h)), torch.stack((x, x + w, x, x + w))))
        moved = self.transform_coords(corners, image_shape, *rand_params)
        low, high = moved.amin(dim=1).flip(0), moved.amax(dim=1).flip(0)
        return torch.cat((low, high - low))

    def transform_mask(self, mask: Any, *rand_params: Any) -> Any:
        """Mask (H, W), numpy or tensor."""
        return mask


class Transform:
    """Apply steps in order to whatever belongs together.

    Args:
        transforms: `TransformBase` objects; `Transform` objects and lists of steps are unpacked.

    Call with any of `image, coords, bbox, mask` by keyword, each one item or a list with one item a frame
    (lists of equal length). `joint=True` uses one roll for all frames, and `new_roll=False` the roll of the
    last joint call; `joint=False` rolls for every frame on its own. Returns the inputs in the order given:
    one value for one input, else a tuple.
    """

    def __init__(self, *transforms: Any) -> None:
        self.transforms: list[TransformBase] = []
        for item in transforms:
            if isinstance(item, Transform):
                self.transforms += item.transforms
            elif isinstance(item, (list, tuple)):
                self.transforms += Transform(*item).transforms
            elif isinstance(item, TransformBase):
                self.transforms.append(item)
            else:
                raise TypeError(f'{item!r} is not a TransformBase')
        self._rolls: list[tuple[Any, ...]] | None = None

    def __call__(self, *, joint: bool = True, new_roll: bool = True, **inputs: Any) -> Any:
        unknown = [name for name in inputs if name not in KINDS]
        if unknown or 'image' not in inputs:
            raise TypeError(f'inputs are image and any of {KINDS[1:]}, not {list(inputs)}')
        if joint and (new_roll or self._rolls is None):
            self._rolls = self._roll()
        many = isinstance(inputs['image'], (list, tuple))
        lists = {name: value if many else [value] for name, value in inputs.items()}
        frames = [dict(zip(lists, values, strict=True)) for values in zip(*lists.values(), strict=True)]
        done = [self._apply(frame, self._rolls if joint and self._rolls is not None else self._roll())
                for frame in frames]
        results = tuple([frame[name] for frame in done] if many else done[0][name] for name in inputs)
        return results if len(results) > 1 else results[0]

    def _roll(self) -> list[tuple[Any, ...]]:
        return [_as_tuple(step.roll()) for step in self.transforms]

    def _apply(self, frame: dict[str, Any], rolls: list[tuple[Any, ...]]) -> dict[str, Any]:
        frame = dict(frame)
        for step, roll in zip(self.transforms, rolls, strict=True):
            shape = shape_of(frame['image'])
            for name, value in frame.items():
                if name == 'image':
                    frame[name] = step.transform_image(value, *roll)
                elif name == 'mask':
                    frame[name] = step.transform_mask(value, *roll)
                elif name == 'coords':
                    frame[name] = step.transform_coords(value, shape, *roll)
                else:
                    frame[name] = step.transform_bbox(value, shape, *roll)
        return frame


def shape_of(image: Any) -> tuple[int, int]:
    """(H, W) of a numpy image (H, W, C) or a tensor (C, H, W)."""
    shape = image.shape[-2:] if isinstance(image, Tensor) else image.shape[:2]
    return int(shape[0]), int(shape[1])


def _as_tuple(roll: Any) -> tuple[Any, ...]:
    if roll is None:
        return ()
    return roll if isinstance(roll, tuple) else (roll,)
