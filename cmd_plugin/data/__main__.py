"""`python -m cmd_plugin.data --data DIR --out sheet.png`: look at what training will see."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from cmd_plugin.arguments import number, picture
from cmd_plugin.data.paired import PairedDataset
from cmd_plugin.data.processing import cross_modal_processing
from cmd_plugin.data.pseudo_boxes import PSEUDO_BOXES, make_pseudo_box
from cmd_plugin.data.sampler import PairedSampler
from cmd_plugin.data.sheet import sample_sheet
from cmd_plugin.errors import cli
from cmd_plugin.pictures import write_picture


def main() -> None:
    """Write a sheet of drawn samples."""
    parser = argparse.ArgumentParser(prog='python -m cmd_plugin.data', description=main.__doc__)
    parser.add_argument('--data', action='append', required=True, metavar='DIR',
                        help='folder with RGB-TIR pairs, or a list file; may be given several times')
    parser.add_argument('--out', type=picture, required=True, metavar='PICTURE',
                        help='file to write, .png or .jpg')
    parser.add_argument('--samples', type=number(1), default=6, help='number of samples (default 6)')
    parser.add_argument('--size', type=int, default=288, help='side of the crops, px, a multiple of 16')
    parser.add_argument('--pseudo-box', choices=sorted(PSEUDO_BOXES), default='center_area')
    parser.add_argument('--boxes', type=Path, metavar='PATH', help='box file or folder, for detection')
    parser.add_argument('--fraction', type=float,
                        help='side of the pseudo box over the shorter side of the image (default: that of its kind)')
    parser.add_argument('--seed', type=number(0), default=0)
    args = parser.parse_args()
    if args.size < 16 or args.size % 16:
        parser.error('--size must be a multiple of 16')
    dataset = PairedDataset(args.data)
    print(dataset.summary())
    sampler = PairedSampler(dataset, make_pseudo_box(args.pseudo_box, args.fraction, args.boxes),
                            args.samples, cross_modal_processing(args.size, args.size // 16))
    sheet = sample_sheet(sampler, args.samples, args.seed)
    if sampler.summary():
        print(sampler.summary())
    write_picture(args.out, sheet)
    print(f'{args.samples} samples: {os.fspath(args.out)}')


if __name__ == '__main__':
    cli(main)
