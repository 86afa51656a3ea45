"""`python -m cmd_plugin.world --out sheet.png --seed 0`: draw a contact sheet of the generated world."""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2

from ltr.admin.errors import UserError, cli

from .sheet import contact_sheet


def main() -> None:
    """Parse the command line and write the sheet."""
    parser = argparse.ArgumentParser(prog='python -m cmd_plugin.world', description=main.__doc__)
    parser.add_argument('--out', type=Path, required=True, help='image file to write (.png or .jpg)')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--clips', type=int, default=8)
    parser.add_argument('--frames', type=int, default=4, help='frames shown of each clip')
    parser.add_argument('--length', type=int, default=30, help='frames of each clip')
    parser.add_argument('--scale', type=int, default=1, help='enlargement')
    parser.add_argument('--plain', action='store_true', help='without boxes')
    options = parser.parse_args()
    if min(options.clips, options.frames, options.length, options.scale) < 1 or options.seed < 0:
        raise UserError('--clips, --frames, --length and --scale must be at least 1, --seed at least 0')
    if options.out.suffix.lower() not in ('.png', '.jpg', '.jpeg'):
        raise UserError(f'{options.out}: the sheet is written as .png or .jpg; give a file name that ends so')
    sheet = contact_sheet(
        options.seed,
        options.clips,
        options.frames,
        options.length,
        scale=options.scale,
        boxes=not options.plain,
    )
    done, buffer = cv2.imencode(options.out.suffix.lower(), cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR))
    if not done:
        raise RuntimeError('OpenCV could not encode the sheet')
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_bytes(buffer.tobytes())
    print(f'{options.out}: {options.clips} clips, RGB above TIR')


if __name__ == '__main__':
    cli(main)
