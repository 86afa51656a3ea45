"""The command `check-pairs`: its arguments, and what it prints."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from cmd_plugin.arguments import number, picture, positive


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.description = ('Look for pairs that cannot be read, are blank, swapped, misaligned, duplicated, or shown in '
                          'the evaluation. Exit status 1 when something is wrong; what is only worth a look does not '
                          'count.')
    parser.add_argument('pairs', type=Path, nargs='+', metavar='DIR',
                        help='folder with RGB-TIR pairs, or a list file, as for training')
    parser.add_argument('--layout', choices=('auto', 'side-by-side'), default='auto', help='layout of the pairs')
    parser.add_argument('--shift', type=positive, default=4.0, metavar='PX', help='a pair whose halves lie further '
                        'apart is misaligned (default 4)')
    parser.add_argument('--against', type=Path, action='append', default=[], metavar='DIR',
                        help='folder of evaluation sequences that no pair may show; may be repeated')
    parser.add_argument('--out', type=picture, metavar='PICTURE', help='file for the ten worst pairs, .png or '
                        '.jpg (default check_pairs/<name of DIR>.png in the workspace)')
    parser.add_argument('--csv', type=Path, metavar='FILE', help='every pair with what was measured')
    parser.add_argument('--threads', type=number(1), default=min(2, os.cpu_count() or 1),
                        help='threads that read images')
    parser.add_argument('--strict', action=argparse.BooleanOptionalAction, default=False,
                        help='notes count as wrong, too')


def run(options: argparse.Namespace) -> int:
    """Check, print, draw; exit status 0, or 1 when something is wrong.

    Raises:
        UserError: no pairs, an evaluation folder without images, or a file that cannot be written.
    """
    from cmd_plugin.check_pairs.findings import judge
    from cmd_plugin.check_pairs.picture import draw, worst
    from cmd_plugin.check_pairs.report import lines, table, write_csv
    from cmd_plugin.check_pairs.survey import frames_below, hash_frames, survey
    from cmd_plugin.checkpoints import place_of
    from cmd_plugin.data.paired import PairedDataset
    from cmd_plugin.pictures import write_picture
    dataset = PairedDataset(options.pairs, options.layout)
    frames = frames_below(options.against)
    found = survey(dataset, options.threads)
    hashes, faults = hash_frames(frames, options.threads)
    judged = judge(dataset, found, options.shift, frames, hashes)
    if faults:
        judged.notes.append(f'{len(faults)} of {len(frames)} evaluation frames could not be read, e.g. {faults[0]}')
    print(table(dataset, found, judged))
    print(*lines(dataset, judged), sep='\n')
    if options.csv is not None:
        write_csv(options.csv, dataset, found, judged)
    chosen = worst(judged.findings, found)
    if chosen:
        place = options.out or place_of(options.pairs[0], 'check_pairs', '.png')
        write_picture(place, draw(dataset, chosen))
        print(f'picture: {place}')
    wrong = len({finding.index for finding in judged.findings})
    print(f'{len(dataset)} pairs: {wrong} wrong, {len(judged.notes)} notes')
    return 1 if wrong or (options.strict and judged.notes) else 0
