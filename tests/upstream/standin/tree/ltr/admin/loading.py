"""Networks from checkpoints."""

import os

import torch


def load_network(network_dir=None, checkpoint=None, constructor_fun_name=None, constructor_module=None, **kwargs):
    if os.path.isfile(network_dir):
        checkpoint = network_dir
    contents = torch.load(os.path.expanduser(checkpoint), map_location='cpu')
    constructor = contents['constructor']
    if constructor_fun_name is not None:
        constructor.fun_name, constructor.fun_module = constructor_fun_name, constructor_module
    constructor.kwds.update(kwargs)
    net = constructor.get()
    net.load_state_dict(contents['net'])
    net.constructor = constructor
    if contents.get('net_info') is not None:
        net.info = contents['net_info']
    return net, contents
