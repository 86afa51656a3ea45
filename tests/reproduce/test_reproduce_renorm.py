"""Batch norms measured anew: unfolding changes nothing, measuring makes thermal statistics, a child wears them."""

from __future__ import annotations

import pytest
import torch

from cmd_plugin import checkpoints
from cmd_plugin.reproduce import children
from cmd_plugin.reproduce.pairs import divide_pairs
from cmd_plugin.reproduce.renorm import measure, norms_of, renormed, unfold
from cmd_plugin.reproduce.rows import row_named, row_of
from cmd_plugin.reproduce.store import Store, Views, crops_of, make_store
from ltr.models.backbone.resnet import resnet18, resnet_small

CPU = torch.device('cpu')


def folded():
    """A backbone whose norms hold no statistics, as the weights of the data page."""
    torch.manual_seed(0)
    net = resnet_small().eval()
    for norm in norms(net):
        torch.nn.init.normal_(norm.bias)
    return net


def norms(net):
    return norms_of(net, torch.zeros(1, 3, 48, 48))


def crops(seed, scale=1.0):
    return [scale * torch.randn(8, 3, 48, 48, generator=torch.Generator().manual_seed(seed + i)) for i in range(2)]


def inputs_of(net, batches):
    """Mean and variance of what every norm reads."""
    seen = {norm: [] for norm in norms(net)}
    hooks = [norm.register_forward_pre_hook(lambda norm, args: seen[norm].append(args[0])) for norm in seen]
    for batch in batches:
        net(batch)
    for hook in hooks:
        hook.remove()
    together = [torch.cat(values).transpose(0, 1).flatten(1) for values in seen.values()]
    return [(values.mean(dim=1), values.var(dim=1, correction=0)) for values in together]


@torch.no_grad()
def test_unfolding_changes_statistics_and_no_output():
    net, batches = folded(), crops(1)
    before, wanted = net(batches[0]), inputs_of(net, batches)
    unfold(net, batches)
    after = net(batches[0])
    for layer, maps in before.items():
        torch.testing.assert_close(after[layer], maps, rtol=1e-4, atol=1e-5)
    for norm, (mean, variance) in zip(norms(net), wanted, strict=True):
        torch.testing.assert_close(norm.running_mean, mean, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(norm.running_var, variance, rtol=1e-4, atol=1e-5)
        assert (norm.running_mean.abs() > 1e-3).any(), 'these were folded away'


@torch.no_grad()
def test_measuring_takes_a_change_of_contrast_back():
    """Half the contrast: the norms before the first nonlinearity undo it, so all that follows is as it was."""
    net, rgb = folded(), crops(1)
    unfold(net, rgb)
    wanted = net(rgb[0])
    grey = [0.5 * batch for batch in rgb]
    lost = net(grey[0])
    measure(net, grey)
    found = net(grey[0])
    for layer, maps in wanted.items():
        apart, back = (lost[layer] - maps).norm(), (found[layer] - maps).norm()
        assert back < 0.1 * maps.norm() < apart
    assert not net.training and all(not norm.training and norm.momentum == 0.1 for norm in norms(net))


def test_layers_that_are_not_run_stay_as_they_are():
    net = resnet18(('layer1',)).eval()
    before = {key: value.clone() for key, value in net.state_dict().items()}
    unfold(net, crops(1))
    measure(net, crops(3, 0.5))
    changed = {key for key, value in net.state_dict().items() if not torch.equal(value, before[key])}
    assert changed and {key.partition('.')[0] for key in changed} == {'bn1', 'layer1'}


def test_only_the_backbones_norms_change_and_the_parent_stays(parent, data, size):
    net, _ = checkpoints.load(parent.parent)
    before = {key: value.clone() for key, value in net.state_dict().items()}
    made = renormed(net, Views(divide_pairs(data.root / 'pairs')[0], 'center_area', None, size), CPU).state_dict()
    assert all(torch.equal(value, before[key]) for key, value in net.state_dict().items())
    changed = {key for key in before if not torch.equal(before[key], made[key])}
    norms = {f'feature_extractor.{name}' for name, module in net.feature_extractor.named_modules()
             if isinstance(module, torch.nn.BatchNorm2d)}
    assert changed and {key.rpartition('.')[0] for key in changed} == norms


@pytest.mark.parametrize('thermal', [True, False])
def test_a_child_tracks_with_its_backbone_and_its_control_with_the_parents(parent, data, size, thermal):
    net, _ = checkpoints.load(parent.parent)
    views = Views(divide_pairs(data.root / 'pairs')[0], 'center_area', None, size)
    made = renormed(net, views, CPU)
    checkpoints.save(parent.backbone('renormed'), made, {'recipe': 'renormed'})
    row = row_of('tcl_renormed', 1e-3, thermal)
    make_store(parent.store(row.samples), [net, made], views, CPU)
    [path] = children.train(parent, size, row, [1], 0, 'a', 'cpu')
    found = checkpoints.load(path)[0].state_dict()
    assert checkpoints.same_backbone(found, (made if thermal else net).state_dict())
    assert not all(torch.equal(found[key], value) for key, value in net.state_dict().items()
                   if key.startswith('classifier'))


def test_the_store_reads_each_modality_with_its_backbone(parent, data, size):
    net, _ = checkpoints.load(parent.parent)
    views = Views(divide_pairs(data.root / 'pairs')[0], 'center_area', None, size)
    made = renormed(net, views, CPU)
    make_store(parent.store('both'), [net, made], views, CPU)
    stored = Store(parent.store('both')).features(torch.arange(4.0).view(4, 1, 1, 1).expand(4, 3, 1, 1))
    crops = crops_of(next(iter(views)))
    with torch.no_grad():
        for place, reader in enumerate((net, made, net, made)):
            for layer, maps in reader.extract_backbone_features(crops[place:place + 1]).items():
                torch.testing.assert_close(stored[layer][place:place + 1], maps, rtol=2e-3, atol=2e-3)


def test_stores_are_shared_only_by_rows_with_the_same_backbones():
    assert row_named('tcl_renormed').samples == row_named('d3_renormed').samples != row_named('d3').samples
