"""The one actor of cross-modal distillation: it serves every recipe and every tracker.

Legend: B pairs, P proposals, 6 channels = RGB | TIR. Images (1, B, 6, H, W); boxes `xywh` in px of their own crop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from cmd_plugin.checkpoints import same_backbone
from cmd_plugin.components import Component, Features
from cmd_plugin.data.processing import split
from cmd_plugin.errors import UserError
from cmd_plugin.losses import response_loss
from cmd_plugin.recipe import CMDRecipe
from ltr.actors import BaseActor

Rows = dict[str, list[tuple[Any, Any, Any]]]
"""By component: network of the test branch, code of the reference, test features."""
MODALITIES = ('rgb', 'tir')
"""In the order in which a pair has them."""
PRECISIONS = {'cpu': (torch.float32, torch.bfloat16), 'cuda': (torch.float32, torch.bfloat16, torch.float16)}
"""Of the backbone, by kind of device."""
OTHER = {'reference': 'test', 'test': 'reference', 'both': 'both'}


class CrossModalActor(BaseActor):
    """Routes each modality to its branch and sums the components' losses.

    The teacher reads every RGB image, the student every TIR image. Both stay in evaluation mode (batch-norm statistics
    never change); of the student, just the tensors of the recipe require a gradient. Unless the recipe opens layers of
    the student's, the backbone is the same in both and never learns: there is one for the two, and it sees every image
    once.

    Args:
        student: the network that is trained.
        parent: the RGB network, another object than `student`; it is frozen, becomes the teacher, and takes over the
            student's backbone in place of its own equal one, if that does not learn.
        recipe: what is trained, and how the modalities are mixed.
        precision: that the backbone computes in; its features, and all that follows, are float32. Half the bytes of
            the numbers, and on CUDA several times the speed; bfloat16 keeps 8 bits of a number, float16 11.

    Raises:
        ValueError: the two backbones have other weights.
    """

    def __init__(self, student: nn.Module, parent: nn.Module, recipe: CMDRecipe,
                 precision: torch.dtype = torch.float32) -> None:
        super().__init__(student, None)
        self.recipe, self.precision = recipe, precision
        self.net: Any = student
        self.teacher: Any = student if recipe.teacher == 'shared' else parent
        if not same_backbone(student.state_dict(), self.teacher.state_dict()):
            raise ValueError('student and teacher must have the same backbone')
        if not recipe.opened:
            self.teacher.feature_extractor = self.net.feature_extractor
        self.teacher.requires_grad_(False)
        student.requires_grad_(False)
        for parameters in recipe.trained(student).values():
            for parameter in parameters.values():
                parameter.requires_grad_(True)
        self.eval()

    def to(self, device: torch.device | str) -> None:
        """Move student and teacher.

        Raises:
            UserError: the device does not compute in the backbone's precision.
        """
        kind = torch.device(device).type
        if self.precision not in PRECISIONS.get(kind, (torch.float32,)):
            raise UserError(f'the backbone cannot compute in {str(self.precision).removeprefix("torch.")} on {kind}: '
                            'set CMD_BACKBONE_PRECISION to float32 (on cpu also bfloat16, on cuda both halves)')
        self.net.to(device)
        self.teacher.to(device)

    def train(self, mode: bool = True) -> None:
        """Both networks stay in evaluation mode: batch-norm statistics are the parent's, their affine weights train."""
        self.net.eval()
        self.teacher.eval()

    def __call__(self, data: Mapping[str, Any]) -> tuple[Tensor, dict[str, float]]:
        """Distillation loss of a batch of pairs (paper, Eq. 1).

        Args:
            data: `train_images` (reference branch) and `test_images`; `train_anno` (1, B, 4), `test_proposals`
                (1, B, P, 4), and what the components' losses read, such as `proposal_iou` (1, B, P) and `test_label`
                (1, B, H', W').

        Returns:
            The loss, mean over all rows (gradient flows to the student alone), and its parts.
        """
        boxes = data['train_anno'][0]
        targets = {key: value[0] for key, value in data.items() if isinstance(value, Tensor)}
        images = {'reference': data['train_images'][0], 'test': data['test_images'][0]}
        rgb, tir = self._features(images)
        rows = self._spatial(rgb, tir, boxes) if self.recipe.mix == 'spatial' else self._batch(rgb, tir, boxes)
        total = torch.zeros((), device=boxes.device)
        stats: dict[str, float] = {}
        for name in self.recipe.components:
            component = self.recipe.component(name)
            weight = self.recipe.lambda_ if name == 'bbe' else 1.0
            answer = self._answer(name, rgb, boxes, targets) if self.recipe.target == 'teacher' else None
            for net, code, test in rows[name]:
                prediction = component.interact(net, code, test, targets['test_proposals'])
                loss, parts = self._loss(component, prediction, answer, code, targets)
                total = total + weight * loss / len(rows[name])
                for key, value in parts.items():
                    stats[f'Loss/{key}'] = stats.get(f'Loss/{key}', 0.0) + value / len(rows[name])
        return total, {'Loss/total': total.item(), **stats}

    @torch.no_grad()
    def _answer(self, name: str, rgb: dict[str, Features], boxes: Tensor, targets: Mapping[str, Tensor]) -> Any:
        """What the teacher predicts with RGB in both branches."""
        component = self.recipe.component(name)
        code = component.encode_reference(self.teacher, rgb['reference'], boxes)
        return component.interact(self.teacher, code, component.encode_test(self.teacher, rgb['test']),
                                  targets['test_proposals'])

    def _loss(self, component: Component, prediction: Any, answer: Any, code: Any,
              targets: Mapping[str, Tensor]) -> tuple[Tensor, dict[str, float]]:
        """Of one row: against the teacher's answer, if there is one, else against the pseudo box."""
        if answer is None:
            return component.loss(prediction, code, targets, self.recipe)
        loss = response_loss(prediction, answer)
        return loss, {f'{component.name}_response': loss.item()}

    def _features(self, images: Mapping[str, Tensor]) -> list[dict[str, Features]]:
        """Backbone features by branch, of RGB for the teacher and of TIR for the student.

        Only what the recipe looks at is computed: with a student in one branch, RGB is read in the other. Gradient
        flows where the student's backbone learns.
        """
        reads = {'rgb': OTHER[self.recipe.student], 'tir': self.recipe.student}
        if self.recipe.pairing == 'thermal':
            reads['rgb'] = 'none'
        if self.recipe.target == 'teacher':
            reads['rgb'] = 'both'
        wanted = [(modality, branch) for modality in MODALITIES for branch in images
                  if reads[modality] in (branch, 'both')]
        readers = {'rgb': self.teacher if self.recipe.opened else self.net, 'tir': self.net}
        found: dict[tuple[str, str], Features] = {}
        for net in dict.fromkeys(readers[modality] for modality, _ in wanted):
            own = [one for one in wanted if readers[one[0]] is net]
            chosen = [split(images[branch])[MODALITIES.index(modality)] for modality, branch in own]
            with torch.set_grad_enabled(bool(self.recipe.opened) and net is self.net):
                maps = self._backbone(net, torch.cat(chosen))
            parts = {layer: values.chunk(len(own)) for layer, values in maps.items()}
            found.update((one, {layer: part[index] for layer, part in parts.items()})
                         for index, one in enumerate(own))
        return [{branch: features for (of, branch), features in found.items() if of == modality}
                for modality in MODALITIES]

    def _backbone(self, net: Any, images: Tensor) -> dict[str, Tensor]:
        """Features (N, C, H, W) by layer, float32, of images (N, 3, H, W)."""
        kind = images.device.type
        # A CPU is faster on a few images at a time, whose maps stay in its caches: by a fifth for ResNet-50.
        few = max(2, torch.get_num_threads()) if kind == 'cpu' else len(images)
        with torch.autocast(kind, self.precision, enabled=self.precision != torch.float32):
            found = [net.extract_backbone_features(part) for part in images.split(few)]
        together = {layer: torch.cat([features[layer] for features in found]) for layer in found[0]}
        return {layer: maps.float() for layer, maps in (together if len(found) > 1 else found[0]).items()}

    def _encode(self, net: Any, method: str, component: str, *args: Any) -> Any:
        """An encoding by one of the two networks; the teacher's carries no gradient."""
        with torch.set_grad_enabled(net is self.net):
            return getattr(self.recipe.component(component), method)(net, *args)

    def _batch(self, rgb: dict[str, Features], tir: dict[str, Features], boxes: Tensor) -> Rows:
        """Rows RGB -> TIR, TIR -> RGB and TIR -> TIR, as far as the recipe has them: (test network, code, features)."""
        teacher, student = (self.teacher, rgb), (self.net, tir)
        chosen = []
        crossed = self.recipe.pairing != 'thermal'
        if crossed and self.recipe.student in ('test', 'both'):
            chosen.append((teacher, student))
        if crossed and self.recipe.student in ('reference', 'both'):
            chosen.append((student, teacher))
        if self.recipe.pairing != 'crossed':
            chosen.append((student, student))
        return {name: [(test_net, self._encode(ref_net, 'encode_reference', name, ref['reference'], boxes),
                        self._encode(test_net, 'encode_test', name, test['test']))
                       for (ref_net, ref), (test_net, test) in chosen]
                for name in self.recipe.components}

    def _spatial(self, rgb: dict[str, Features], tir: dict[str, Features], boxes: Tensor) -> Rows:
        """One row a pair: RGB | TIR in the reference branch, TIR | RGB in the test branch, joined along the width.

        Each half is encoded by its own network up to the join, so the pseudo box keeps its place and lies in both. What
        comes after the join reads both modalities and is the student's.
        """
        rows: Rows = {}
        for name in self.recipe.components:
            maps: list[Tensor] = []
            with at_outputs(self.teacher, self.recipe.component(name).joined, maps.append):
                self._encode(self.teacher, 'encode_reference', name, rgb['reference'], boxes)
            with at_outputs(self.net, self.recipe.component(name).joined, partial(_joined_with_next, iter(maps))):
                code = self._encode(self.net, 'encode_reference', name, tir['reference'], boxes)
            ours = self._encode(self.net, 'encode_test', name, tir['test'])
            theirs = self._encode(self.teacher, 'encode_test', name, rgb['test'])
            rows[name] = [(self.net, code, [_join(a, b) for a, b in zip(ours, theirs, strict=True)])]
        return rows


@contextmanager
def at_outputs(net: nn.Module, modules: Sequence[str], action: Callable[[Tensor], Tensor | None]) -> Iterator[None]:
    """For a while, call `action` with every output of the named modules; what it returns, if anything, replaces it."""
    handles = [net.get_submodule(name).register_forward_hook(lambda module, args, out: action(out)) for name in modules]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _joined_with_next(waiting: Iterator[Tensor], right: Tensor) -> Tensor:
    return _join(next(waiting), right)


def _join(left: Tensor, right: Tensor) -> Tensor:
    """Left half of one map beside the right half of another, (..., W)."""
    middle = left.shape[-1] // 2
    return torch.cat((left[..., :middle], right[..., middle:]), dim=-1)
