"""`python ltr/run_training.py MODULE NAME`; the repository is appended to sys.path (a habit of stock)."""

import argparse
import importlib
import os
import sys

sys.path.append(os.path.join(os.path.dirname(__file__), '..'))

import torch

from ltr.admin.settings import Settings


def run_training(train_module, train_name, cudnn_benchmark=True):
    torch.backends.cudnn.benchmark = cudnn_benchmark
    settings = Settings()
    settings.module_name, settings.script_name = train_module, train_name
    settings.project_path = f'ltr/{train_module}/{train_name}'
    print(f'Training: {train_module} {train_name}')
    importlib.import_module(f'ltr.train_settings.{train_module}.{train_name}').run(settings)


if __name__ == '__main__':
    parser = argparse.ArgumentParser()
    parser.add_argument('train_module')
    parser.add_argument('train_name')
    parser.add_argument('--cudnn_benchmark', type=bool, default=True)
    options = parser.parse_args()
    run_training(options.train_module, options.train_name, options.cudnn_benchmark)
