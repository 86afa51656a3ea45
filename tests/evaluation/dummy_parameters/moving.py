from pytracking.utils.params import FeatureParams


def parameters():
    return FeatureParams(step=0.5)
