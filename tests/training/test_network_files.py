"""Networks from checkpoints: only registered ones, only with their own weights."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tiny_training import TinyNet, TinyResNet, tiny_net, tiny_resnet

from ltr.admin import checkpoint
from ltr.admin.errors import UserError
from ltr.admin.loading import load_network, load_state, load_weights
from ltr.admin.model_constructor import NetConstructor


def write(path: Path, net: torch.nn.Module, **changes: object) -> Path:
    return checkpoint.save(path, {'epoch': 1, 'net': net.state_dict(), 'net_type': type(net).__name__,
                                  'constructor': getattr(net, 'constructor', None), **changes})


def test_constructor_keeps_the_call():
    net = tiny_net(5, backbone_pretrained=False)
    assert vars(net.constructor) == {'fun_name': 'tiny_net', 'fun_module': 'tiny_training', 'args': (5,),
                                     'kwds': {'backbone_pretrained': False}}
    assert NetConstructor.__module__ + '.' + NetConstructor.__qualname__ == (
        'ltr.admin.model_constructor.NetConstructor')


@pytest.mark.parametrize('call', [((5, True), {}), ((), {'width': 5}), ((5,), {'backbone_pretrained': True})])
def test_load_network_rebuilds_without_pretrained_weights(tmp_path, call):
    net = tiny_net(*call[0], **call[1])
    assert net.asked_for_pretrained
    loaded, contents = load_network(write(tmp_path / 'TinyNet_ep0001.pth.tar', net))
    assert isinstance(loaded, TinyNet) and not loaded.asked_for_pretrained
    assert contents['epoch'] == 1
    for name, value in net.state_dict().items():
        assert torch.equal(value, loaded.state_dict()[name])


def test_folder_number_and_workspace(tmp_path, settings):
    folder = tmp_path / 'workspace' / 'checkpoints' / 'ltr' / 'tiny' / 'plain'
    for epoch in (1, 2):
        write(folder / f'TinyNet_ep{epoch:04d}.pth.tar', tiny_net(), epoch=epoch)
    assert load_network('ltr/tiny/plain')[1]['epoch'] == 2
    assert load_network(folder, 1)[1]['epoch'] == 1
    assert load_network(folder, 'TinyNet_ep0001.pth.tar')[1]['epoch'] == 1
    with pytest.raises(UserError, match=r'no checkpoint my\.pth found; looked for my\.pth in .*plain and .*plain and '):
        load_network('ltr/tiny/plain', 'my.pth')
    with pytest.raises(UserError, match=r'checkpoint 7.*looked for \*_ep.*plain'):
        load_network(folder, 7)


@pytest.mark.parametrize(('name', 'module'), [
    ('system', 'os'), ('tiny_net', 'os'), ('TinyNet', 'tiny_training'),
    ('tiny_resnet', 'tiny_training.tiny_net')])
def test_unregistered_constructors_are_refused(tmp_path, name, module):
    path = write(tmp_path / 'x_ep0001.pth.tar', tiny_net(),
                 constructor=NetConstructor(name, module, (f'touch {tmp_path / "owned"}',), {}))
    with pytest.raises(UserError, match=f'x_ep0001.*refused to build a network with {module}.{name}'):
        load_network(path)
    assert not (tmp_path / 'owned').exists()


def test_legacy_module_prefix_is_dropped(tmp_path):
    path = write(tmp_path / 'x.pth.tar', tiny_net(),
                 constructor=NetConstructor('tiny_net', 'dlframework.tiny_training', (), {'width': 4}))
    assert isinstance(load_network(path)[0], TinyNet)


def test_other_networks_and_odd_files(tmp_path):
    path = write(tmp_path / 'x.pth.tar', tiny_net(4), constructor=tiny_net(6).constructor)
    with pytest.raises(UserError, match=
                       r'x\.pth\.tar is of another network than TinyNet: 0 tensors missing, 0 unexpected, '
                       r'7 of another shape; first: feature_extractor\.0\.weight'):
        load_network(path)
    path = write(tmp_path / 'y.pth.tar', tiny_net(4), constructor=tiny_resnet().constructor)
    with pytest.raises(UserError, match='10 tensors missing, 9 unexpected'):
        load_network(path)
    with pytest.raises(UserError, match='holds no network'):
        load_network(checkpoint.save(tmp_path / 'z.pth.tar', {'epoch': 1}))
    with pytest.raises(UserError, match='does not say how to build'):
        load_network(write(tmp_path / 'w.pth.tar', tiny_net(), constructor=None))
    with pytest.raises(UserError, match=r'recorded arguments do not fit.*colour'):
        load_network(write(tmp_path / 'v.pth.tar', tiny_net(),
                           constructor=NetConstructor('tiny_net', 'tiny_training', (), {'colour': 1})))


def test_constructor_can_be_given(tmp_path):
    path = write(tmp_path / 'w.pth.tar', tiny_net(6), constructor=None)
    net, _ = load_network(path, constructor_fun_name='tiny_net', constructor_module='tiny_training', width=6)
    assert isinstance(net, TinyNet)


def test_initial_weights_from_checkpoint_and_bare_state(tmp_path):
    source = tiny_net()
    bare = tmp_path / 'bare.pth'
    torch.save(source.state_dict(), bare)
    for path in (write(tmp_path / 'x.pth.tar', source), bare):
        net = tiny_net()
        assert 'whole network (9 tensors)' in load_weights(net, path)
        assert all(torch.equal(value, net.state_dict()[key]) for key, value in source.state_dict().items())


def test_backbone_file_keeps_what_it_lacks(tmp_path):
    save_file = pytest.importorskip('safetensors.torch').save_file
    source, net = TinyResNet().feature_extractor, TinyResNet()
    before = {key: value.clone() for key, value in net.state_dict().items()}
    part = {key: value for key, value in source.state_dict().items() if key.startswith(('conv1', 'layer3'))}
    save_file(part, tmp_path / 'r.safetensors')
    line = load_weights(net, tmp_path / 'r.safetensors')
    assert line.endswith('weights of the backbone (4 tensors); layer4 and fc keep their initial values')
    for key, value in net.state_dict().items():
        name = key.removeprefix('feature_extractor.')
        assert torch.equal(value, part[name] if name in part else before[key])


def test_backbone_file_may_lack_nothing_else(tmp_path):
    net = TinyResNet()
    before = {key: value.clone() for key, value in net.state_dict().items()}
    state = {key: value + 1 for key, value in net.feature_extractor.state_dict().items()
             if not key.startswith('layer3')}
    with pytest.raises(UserError, match=r'2 tensors missing.*missing layer3'):
        load_state(net, state, 'r.pth')
    assert all(torch.equal(value, before[key]) for key, value in net.state_dict().items())


def test_unusable_weight_files(tmp_path):
    broken = tmp_path / 'r.safetensors'
    broken.write_bytes(b'\x08\x00\x00\x00\x00\x00\x00\x00{}')
    with pytest.raises(UserError, match=r'r.safetensors'):
        load_weights(tiny_resnet(), broken)
    broken.write_bytes(b'garbage')
    with pytest.raises(UserError, match='truncated or corrupt'):
        load_weights(tiny_resnet(), broken)
    with pytest.raises(UserError, match='no weight file'):
        load_weights(tiny_resnet(), tmp_path / 'absent.safetensors')
    with pytest.raises(UserError, match='holds no weights'):
        load_state(tiny_net(), {'epoch': 3}, 'x.pth')
