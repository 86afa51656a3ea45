"""Look for mistakes in a data set on disk: `python -m pytracking.check_dataset NAME --data DIR`."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from tqdm import tqdm

from ltr.admin.errors import UserError, cli
from pytracking.evaluation.checks import Checked, Finding, check_dataset, check_training
from pytracking.evaluation.datasets import dataset_dict, load_dataset
from pytracking.evaluation.diskdataset import DiskDataset


def report(name: str, checked: list[Checked], training: list[Finding]) -> tuple[str, bool]:
    """All findings as a table with a last line that counts them, and whether anything is wrong."""
    findings = [finding for item in checked for finding in item.findings] + training
    width = max([len(finding.sequence) for finding in findings], default=0)
    lines = [f'{finding.sequence:<{width}}  {"wrong" if finding.wrong else "note ":<5}  {finding.text}'
             for finding in sorted(findings, key=lambda finding: not finding.wrong)]
    wrong = sum(finding.wrong for finding in findings)
    folders, frames = sum(item.frames > 0 for item in checked), sum(item.frames for item in checked)
    lines.append(f'{name}: {folders} folder{"s" * (folders != 1)} with {frames:,} frames; {wrong} wrong, '
                 f'{len(findings) - wrong} to look at')
    return '\n'.join(lines), wrong > 0


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line; `--help` explains it."""
    parser = argparse.ArgumentParser(
        description='Look for missing frames, counts that differ, unreadable images and odd boxes. Exit status 1 when '
                    'something is wrong; what is only worth a look does not count.')
    add = parser.add_argument
    add('dataset', nargs='?', default='folder', metavar='NAME', help=f'{", ".join(dataset_dict)} (default: folder)')
    add('--data', '--path', metavar='DIR', help='folder of the data set (default: the environment\'s)')
    add('--images', choices=('all', 'ends'), default='all', help='read all images, or the first and last of each '
                                                                  'sequence (default: all)')
    add('--threads', type=int, default=min(4, os.cpu_count() or 1), help='threads that read images')
    add('--training', metavar='DIR', help='also look below DIR for training sequences that show what is tested here')
    add('--strict', action=argparse.BooleanOptionalAction, default=False, help='notes count as wrong, too')
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Exit status: 0, or 1 when something is wrong."""
    options = parse_arguments(arguments)
    if options.threads < 1:
        raise UserError(f'--threads must be at least 1, got {options.threads}')
    dataset = load_dataset(options.dataset, options.data)
    training = list(check_training(dataset, Path(options.training))) if options.training else []
    checks = check_dataset(dataset, options.images == 'all', options.threads)
    total = 1 + sum(1 for _ in dataset.folders()) if isinstance(dataset, DiskDataset) else None
    checked = list(tqdm(checks, 'folders', total, unit='', disable=None))
    text, wrong = report(options.dataset, checked, training)
    print(text)
    notes = bool(training) or any(item.findings for item in checked)
    return 1 if wrong or (options.strict and notes) else 0


def entry() -> None:
    """What the command line starts."""
    cli(main)


if __name__ == '__main__':
    entry()
