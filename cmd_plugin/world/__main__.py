"""`python -m cmd_plugin.world --out sheet.png --seed 0`: draw a contact sheet of the generated world."""

from __future__ import annotations

import argparse

from cmd_plugin.arguments import picture
from cmd_plugin.pictures import write_picture
from ltr.admin.errors import UserError, cli

from .sheet import contact_sheet


def main() -> None:
    """Parse the command line and write the sheet."""
    parser = argparse.ArgumentParser(prog='python -m cmd_plugin.world', description=main.__doc__)
    parser.add_argument('--out', type=picture, required=True, help='image file to write (.png or .jpg)')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--clips', type=int, default=8)
    parser.add_argument('--frames', type=int, default=4, help='frames shown of each clip')
    parser.add_argument('--length', type=int, default=30, help='frames of each clip')
    parser.add_argument('--scale', type=int, default=1, help='enlargement')
    parser.add_argument('--plain', action='store_true', help='without boxes')
    options = parser.parse_args()
    if min(options.clips, options.frames, options.length, options.scale) < 1 or options.seed < 0:
        raise UserError('--clips, --frames, --length and --scale must be at least 1, --seed at least 0')
    sheet = contact_sheet(
        options.seed,
        options.clips,
        options.frames,
        options.length,
        scale=options.scale,
        boxes=not options.plain,
    )
    write_picture(options.out, sheet)
    print(f'{options.out}: {options.clips} clips, RGB above TIR')


if __name__ == '__main__':
    cli(main)
