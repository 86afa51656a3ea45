"""A tracker, a data set and its distilled descendants that are in no toolkit: what a package of yours looks like."""

from setuptools import find_packages, setup

setup(
    name='pocket-tracker',
    version='1.0',
    packages=find_packages(),
    install_requires=['cmd-tracking'],
    entry_points={
        'pytracking.networks': ['pocketnet = pocket.network:pocketnet'],
        'pytracking.train_settings': ['pocket = pocket.train_settings.pocket',
                                      'cmd_pocket = pocket.train_settings.cmd_pocket'],
        'pytracking.trackers': ['pocket = pocket.tracker:get_tracker_class',
                                'cmd_pocket = pocket.tracker:get_tracker_class'],
        'pytracking.parameters': ['pocket = pocket.parameter.pocket', 'cmd_pocket = pocket.parameter.cmd_pocket'],
        'pytracking.datasets': ['pocket_set = pocket.dataset:PocketSet'],
        'pytracking.cmd_families': ['cmd_pocket = pocket.family:CMD_POCKET'],
    },
)
