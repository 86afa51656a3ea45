"""One distribution with three packages: ltr (training), pytracking (tracking), cmd_plugin (distillation)."""

from pathlib import Path

from setuptools import find_packages, setup

ENTRY_POINTS = {
    'console_scripts': [
        'ltr-train = ltr.run_training:entry',
        'pytracking-run = pytracking.run_tracker:entry',
        'cmd-plugin = cmd_plugin.cli:entry',
    ],
    'pytracking.train_settings': [
        'dimp = ltr.train_settings.dimp',
        'cmd_dimp = cmd_plugin.train_settings.cmd_dimp',
    ],
    'pytracking.trackers': [
        'dimp = pytracking.tracker.dimp:get_tracker_class',
        'cmd_dimp = cmd_plugin.tracker:get_tracker_class',
    ],
    'pytracking.parameters': [
        'dimp = pytracking.parameter.dimp',
        'cmd_dimp = cmd_plugin.parameter.cmd_dimp',
    ],
    'pytracking.datasets': [
        'folder = pytracking.evaluation.folderdataset:FolderDataset',
        'lsotb_tir = cmd_plugin.datasets:lsotb_tir',
        'ptb_tir = cmd_plugin.datasets:ptb_tir',
    ],
    'pytracking.networks': [
        'dimpnet18 = ltr.models.tracking.dimpnet:dimpnet18',
        'dimpnet50 = ltr.models.tracking.dimpnet:dimpnet50',
        'dimpnet_small = ltr.models.tracking.dimpnet:dimpnet_small',
    ],
}

setup(
    name='cmd-tracking',
    version='0.1.0',
    description='Cross-modal distillation for thermal infrared tracking, with a clean tracking toolkit',
    long_description=Path(__file__).with_name('README.md').read_text(encoding='utf-8'),
    long_description_content_type='text/markdown',
    license='MIT',
    python_requires='>=3.10',
    packages=find_packages(include=['ltr', 'ltr.*', 'pytracking', 'pytracking.*', 'cmd_plugin', 'cmd_plugin.*']),
    install_requires=[
        'torch>=2.5', 'torchvision>=0.20', 'numpy', 'opencv-python-headless', 'tqdm', 'tensorboard',
        'matplotlib', 'safetensors', 'scipy',
    ],
    extras_require={
        'dev': ['pytest>=8', 'hypothesis', 'ruff', 'mypy'],
        'jpeg4py': ['jpeg4py'],
        'visdom': ['visdom'],
        'correlation': ['spatial-correlation-sampler'],
    },
    entry_points=ENTRY_POINTS,
)
