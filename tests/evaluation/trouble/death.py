from pytracking.utils.params import FeatureParams


def parameters():
    return FeatureParams(trouble='death')
