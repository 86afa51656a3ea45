from pytracking.features.net_wrappers import NetWithBackbone
from pytracking.utils.params import FeatureParams


def parameters():
    return FeatureParams(step=0.0, net=NetWithBackbone('absent.pth.tar', use_gpu=False))
