"""Backbones for thermal images, made of the parent's before any distillation; a child may wear one."""

from __future__ import annotations

from cmd_plugin import checkpoints
from cmd_plugin.reproduce.content import taught
from cmd_plugin.reproduce.pairs import divide_pairs
from cmd_plugin.reproduce.places import Data, Work
from cmd_plugin.reproduce.renorm import renormed
from cmd_plugin.reproduce.rows import row_named
from cmd_plugin.reproduce.sizes import Size
from cmd_plugin.reproduce.store import Store, Views
from ltr.admin.device import pick_device

PLAIN = row_named('d3').samples
"""Samples that both are made from: their pseudo box plays no part, but for where the crops lie."""


def make(data: Data, work: Work, size: Size, name: str, device: str | None) -> None:
    """Write the parent with the backbone `name`, `renormed` or `content`. Raises `UserError` without a parent."""
    net, contents = checkpoints.load(work.parent)
    where = pick_device(device or 'auto')
    if name == 'renormed':
        pairs, _ = divide_pairs(data.root / 'pairs')
        made = renormed(net, Views(pairs, PLAIN, None, size), where)
    else:
        made = taught(net, Store(work.store(PLAIN)), size.steps[-1], where)
    checkpoints.save(work.backbone(name), made, {**contents['net_info'], 'recipe': name})
