"""A network as a tracker sees it; a GPU that is asked for must be there (a habit of stock)."""

import torch

from ltr import load_network
from pytracking.features.speed import PRESETS


class NetWithBackbone:
    def __init__(self, net_path, use_gpu=True, initialize=False, image_format='rgb', mean=(0.485, 0.456, 0.406),
                 std=(0.229, 0.224, 0.225)):
        self.net_path, self.use_gpu = net_path, use_gpu
        self._mean, self._std = (torch.tensor(values).view(1, -1, 1, 1) * 255 for values in (mean, std))
        self.speed = PRESETS['plain']  # the copied tracker asks for it
        self._net = None
        if initialize:
            self.initialize()

    def initialize(self):
        if self._net is None:
            self._net = load_network(self.net_path, backbone_pretrained=False)[0].eval()
            if self.use_gpu:
                self._net.cuda()

    @property
    def net(self):
        self.initialize()
        return self._net

    @property
    def device(self):
        return next(self.net.parameters()).device

    @property
    def key(self):
        return id(self.net)

    def __getattr__(self, name):
        if name.startswith('_'):
            raise AttributeError(name)
        return getattr(self.net, name)

    def extract_backbone(self, image):
        return self.net.extract_backbone_features((image - self._mean.to(image)) / self._std.to(image))
