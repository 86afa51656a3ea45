import multiprocessing
import os
from pathlib import Path

from pytracking.utils.params import FeatureParams


class FileNet:
    """Stands for a network wrapper: named by a file, which must exist to be loaded."""

    def __init__(self, net_path):
        self.net_path = net_path

    def initialize(self):
        assert Path(self.net_path).is_file()


def parameters():
    """Network and crop are named by variables; worker processes may be told others, as if they had changed since."""
    where = 'DUMMY' if multiprocessing.parent_process() is None else 'DUMMY_WORKER'
    return FeatureParams(step=0.5, crop=int(os.environ.get(f'{where}_CROP', '1')),
                         net=FileNet(os.environ.get(f'{where}_NET', os.environ['DUMMY_NET'])))
