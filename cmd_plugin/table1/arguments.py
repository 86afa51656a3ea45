"""The command line of `table1`."""

from __future__ import annotations

import argparse
from pathlib import Path

from cmd_plugin.arguments import number, positive


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What is trained, on what it is tried, and for how long."""
    what = parser.add_argument_group('what')
    what.add_argument('--tracker', action='append', metavar='NAME',
                      help='cmd_dimp (default) or cmd_atom; on the generated world both, or those that are named')
    what.add_argument('--rows', nargs='+', metavar='ROW', help='rows of Table 1 (default: all; d5 where it has boxes)')
    what.add_argument('--init', type=Path, metavar='PATH', help='the parent: a checkpoint, or .safetensors')
    what.add_argument('--net', metavar='NAME', help='network of the parent, such as dimp18')
    what.add_argument('--data', type=Path, action='append', metavar='DIR', help='training pairs; may be repeated')
    what.add_argument('--boxes', type=Path, metavar='PATH', help='boxes of a detector for d5: a file or folder')
    train = parser.add_argument_group('training')
    train.add_argument('--epochs', type=number(1), metavar='N', help='last epoch (default: the paper\'s 50)')
    train.add_argument('--samples', type=number(1), metavar='N', help='samples an epoch (26,000)')
    train.add_argument('--batch', type=number(1), metavar='N', help='pairs a batch (5)')
    train.add_argument('--lr-scale', type=positive, metavar='F', help='factor on all learning rates')
    train.add_argument('--device', help='auto (default), cpu, cuda, cuda:1, mps')
    train.add_argument('--workers', type=number(0), metavar='N', help='processes that read data')
    train.add_argument('--seed', type=number(0), default=0, metavar='N', help='first seed (default 0)')
    train.add_argument('--seeds', type=number(1), default=1, metavar='K',
                       help='number of trainings; with several, mean and standard deviation')
    train.add_argument('--workspace', type=Path, metavar='DIR', help='folder for networks and results')
    track = parser.add_argument_group('tracking')
    track.add_argument('--dataset', default='folder', metavar='NAME', help='registered data set (default: folder)')
    track.add_argument('--dataset-path', type=Path, action='append', metavar='DIR',
                       help='folder of the data set (default: the environment\'s); may be repeated')
    track.add_argument('--sequences', nargs='+', metavar='NAME', help='names, or numbers from 0 (default: all)')
    track.add_argument('--max-frames', type=number(1), metavar='N', help='only the first N frames of each sequence')
    track.add_argument('--protocol', metavar='NAME', help='how to count (default: the data set\'s)')
    track.add_argument('--threads', type=number(0), default=0, metavar='N', help='worker processes (default: none)')
    world = parser.add_argument_group('generated world')
    world.add_argument('--world', action=argparse.BooleanOptionalAction, default=False,
                       help='parent, pairs and test set of the demo, in place of --init, --data and --dataset')
    world.add_argument('--size', choices=('demo', 'test'), default='demo', help='test: a few steps, no meaning')
