"""One distribution with three packages: ltr (training), pytracking (tracking), cmd_plugin (distillation)."""

from pathlib import Path

from setuptools import find_packages, setup

ENTRY_POINTS = {
    'console_scripts': [
        'ltr-train = ltr.run_training:entry',
        'pytracking-run = pytracking.run_tracker:entry',
        'pytracking-video = pytracking.run_video:entry',
        'pytracking-webcam = pytracking.run_webcam:entry',
        'pytracking-playback = pytracking.playback:entry',
        'pytracking-analyse = pytracking.analyse:entry',
        'cmd-plugin = cmd_plugin.cli:entry',
    ],
    'pytracking.train_settings': [
        'dimp = ltr.train_settings.dimp',
        'bbreg = ltr.train_settings.bbreg',
        'kys = ltr.train_settings.kys',
        'tomp = ltr.train_settings.tomp',
        'cmd_dimp = cmd_plugin.train_settings.cmd_dimp',
        'cmd_atom = cmd_plugin.train_settings.cmd_atom',
        'cmd_prdimp = cmd_plugin.train_settings.cmd_prdimp',
        'cmd_super_dimp = cmd_plugin.train_settings.cmd_super_dimp',
        'cmd_kys = cmd_plugin.train_settings.cmd_kys',
        'cmd_tomp = cmd_plugin.train_settings.cmd_tomp',
    ],
    'pytracking.trackers': [
        'dimp = pytracking.tracker.dimp:get_tracker_class',
        'atom = pytracking.tracker.atom:get_tracker_class',
        'kys = pytracking.tracker.kys:get_tracker_class',
        'tomp = pytracking.tracker.tomp:get_tracker_class',
        'cmd_dimp = cmd_plugin.tracker:get_tracker_class',
        'cmd_atom = cmd_plugin.tracker:get_atom_class',
        'cmd_prdimp = cmd_plugin.tracker:get_tracker_class',
        'cmd_super_dimp = cmd_plugin.tracker:get_tracker_class',
        'cmd_kys = cmd_plugin.tracker:get_kys_class',
        'cmd_tomp = cmd_plugin.tracker:get_tomp_class',
    ],
    'pytracking.parameters': [
        'dimp = pytracking.parameter.dimp',
        'atom = pytracking.parameter.atom',
        'kys = pytracking.parameter.kys',
        'tomp = pytracking.parameter.tomp',
        'cmd_dimp = cmd_plugin.parameter.cmd_dimp',
        'cmd_atom = cmd_plugin.parameter.cmd_atom',
        'cmd_prdimp = cmd_plugin.parameter.cmd_prdimp',
        'cmd_super_dimp = cmd_plugin.parameter.cmd_super_dimp',
        'cmd_kys = cmd_plugin.parameter.cmd_kys',
        'cmd_tomp = cmd_plugin.parameter.cmd_tomp',
    ],
    'pytracking.datasets': [
        'folder = pytracking.evaluation.folderdataset:FolderDataset',
        'annotations = pytracking.evaluation.annotations:AnnotationDataset',
        'lsotb_tir = cmd_plugin.datasets:lsotb_tir',
        'ptb_tir = cmd_plugin.datasets:ptb_tir',
        'gtot = cmd_plugin.datasets:gtot',
        'gtot_rgb = cmd_plugin.datasets:gtot_rgb',
        'rgbt210 = cmd_plugin.datasets:rgbt210',
        'rgbt210_rgb = cmd_plugin.datasets:rgbt210_rgb',
        'rgbt234 = cmd_plugin.datasets:rgbt234',
        'rgbt234_rgb = cmd_plugin.datasets:rgbt234_rgb',
        'lasher = cmd_plugin.datasets:lasher',
        'lasher_rgb = cmd_plugin.datasets:lasher_rgb',
    ],
    'pytracking.published': [
        'lsotb_tir = cmd_plugin.published:lsotb_tir',
        'lsotb_tir_attributes = cmd_plugin.published:lsotb_tir_attributes',
        'ptb_tir = cmd_plugin.published:ptb_tir',
        'lasher = cmd_plugin.published:lasher',
        'rgbt234 = cmd_plugin.published:rgbt234',
        'rgbt210 = cmd_plugin.published:rgbt210',
    ],
    'pytracking.networks': [
        'dimpnet18 = ltr.models.tracking.dimpnet:dimpnet18',
        'dimpnet50 = ltr.models.tracking.dimpnet:dimpnet50',
        'dimpnet_small = ltr.models.tracking.dimpnet:dimpnet_small',
        'atom_resnet18 = ltr.models.bbreg.atom:atom_resnet18',
        'atom_resnet50 = ltr.models.bbreg.atom:atom_resnet50',
        'atom_small = ltr.models.bbreg.atom:atom_small',
        'klcedimpnet18 = ltr.models.tracking.dimpnet:klcedimpnet18',
        'klcedimpnet50 = ltr.models.tracking.dimpnet:klcedimpnet50',
        'klcedimpnet_small = ltr.models.tracking.dimpnet:klcedimpnet_small',
        'kysnet18 = ltr.models.tracking.kysnet:kysnet18',
        'kysnet50 = ltr.models.tracking.kysnet:kysnet50',
        'kysnet_small = ltr.models.tracking.kysnet:kysnet_small',
        'tompnet18 = ltr.models.tracking.tompnet:tompnet18',
        'tompnet50 = ltr.models.tracking.tompnet:tompnet50',
        'tompnet_small = ltr.models.tracking.tompnet:tompnet_small',
    ],
    'pytracking.checkouts': [
        'stock = cmd_plugin.upstream.command:environment_for',
    ],
    'pytracking.cmd_families': [
        'cmd_dimp = cmd_plugin.families:CMD_DIMP',
        'cmd_atom = cmd_plugin.families:CMD_ATOM',
        'cmd_prdimp = cmd_plugin.families:CMD_PRDIMP',
        'cmd_super_dimp = cmd_plugin.families:CMD_SUPER_DIMP',
        'cmd_kys = cmd_plugin.families:CMD_KYS',
        'cmd_tomp = cmd_plugin.families:CMD_TOMP',
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
    package_data={
        'cmd_plugin.download': ['*.json'],
        'cmd_plugin.published': ['*.csv'],
        'pytracking.analysis.report': ['*.html', '*.css', 'script/*.js'],
    },
    # No upper bounds but where a release is known to break something: they would keep users from others' fixes.
    install_requires=[
        'torch>=2.5',  # the oldest that is tried; 2.6 where files come from strangers (CVE-2025-32434)
        'torchvision>=0.20',  # the release that belongs to torch 2.5
        'numpy>=1.26',  # the first for Python 3.12
        'opencv-python-headless>=4.8.1.78',  # the first without CVE-2023-4863 (WebP): images come from anywhere
        'tqdm>=4.66.3',  # the first without CVE-2024-34062
        # Of these only interfaces are used that every release for Python 3.10 and later has.
        'tensorboard', 'matplotlib', 'safetensors', 'scipy',
    ],
    extras_require={
        # pytest 8 is the oldest that is tried
        'dev': ['pytest>=8', 'hypothesis', 'ruff', 'mypy', 'playwright', 'onnx', 'onnxscript',
                'onnxruntime'],
        'browser': ['playwright'],
        'jpeg4py': ['jpeg4py'],
        'onnx': ['onnx', 'onnxscript', 'onnxruntime'],
        'visdom': ['visdom', 'tornado<6.6'],  # the page of visdom 0.2.4 is refused by newer ones
        'ray': ['ray'],
        'correlation': ['spatial-correlation-sampler'],
    },
    entry_points=ENTRY_POINTS,
)
