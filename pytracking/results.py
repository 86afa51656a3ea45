"""Results of other toolkits into ours, and ours into theirs.

    python -m pytracking.results import --format mat --dataset lsotb_tir SRC workspace/tracking_results/eco/published
    python -m pytracking.results export --format got10k --data DIR workspace/tracking_results/dimp/dimp50 DST
"""

from __future__ import annotations

import argparse
from pathlib import Path

from ltr.admin.errors import cli
from pytracking.evaluation.datasets import dataset_dict, get_dataset
from pytracking.evaluation.formats import FORMATS
from pytracking.evaluation.transfer import OURS, get_format, transfer


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line; `--help` explains it."""
    parser = argparse.ArgumentParser(description='Import or export the boxes of one tracker on one data set.')
    add = parser.add_argument
    add('direction', choices=('import', 'export'), help='into our form, or out of it')
    add('source', metavar='SRC', help='folder of one tracker\'s results')
    add('target', metavar='DST', help='folder to write; for import RESULTS/TRACKER/PARAM, where analyse finds it')
    add('--format', required=True, metavar='NAME', help=f'the other form: {", ".join(FORMATS)}; comma, tab and blank '
                                                        f'differ only when they are written')
    add('--dataset', default='folder', metavar='NAME', help=f'{", ".join(dataset_dict)} (default: folder)')
    add('--data', metavar='DIR', help='folder of the data set (default: the environment\'s)')
    add('--tracker', metavar='NAME', help='its name in the names of the other form\'s files, where it is there')
    add('--overwrite', action=argparse.BooleanOptionalAction, default=False, help='replace what is in DST')
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Print what was done in one line."""
    options = parse_arguments(arguments)
    get_format(options.format)
    read_as, write_as = (options.format, OURS) if options.direction == 'import' else (OURS, options.format)
    done = transfer(get_dataset(options.dataset, root=options.data), Path(options.source), Path(options.target),
                    read_as, write_as, options.tracker, options.overwrite)
    left = f'; without a result: {len(done.missing)} ({", ".join(done.missing[:3])})' if done.missing else ''
    print(f'{options.direction}ed {len(done.written)} sequences to {options.target}{left}')
    return 0


def entry() -> None:
    """What the command line starts."""
    cli(main)


if __name__ == '__main__':
    entry()
