"""The command `detect`: its arguments, and which work they ask for."""

from __future__ import annotations

import argparse
from pathlib import Path

from cmd_plugin.arguments import share
from cmd_plugin.errors import UserError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument('--pairs', type=Path, required=True, metavar='DIR',
                        help='folder with RGB-TIR pairs, or a list file, as for training')
    parser.add_argument('--layout', choices=('auto', 'side-by-side'), default='auto', help='layout of the pairs')
    parser.add_argument('--out', type=Path, metavar='FILE',
                        help='file to write, COCO JSON (default boxes/<name of DIR>.json in the workspace)')
    parser.add_argument('--detector', choices=('yolo', 'fasterrcnn'), help='default: yolo')
    parser.add_argument('--model', type=Path, metavar='ONNX', help='yolo: YOLOX, YOLOv5 / v7, YOLOv8 / 11 as ONNX')
    parser.add_argument('--names', type=Path, metavar='FILE', help='yolo: class names, one a line (default: in the '
                        'file, or those of COCO)')
    parser.add_argument('--weights', type=Path, metavar='FILE', help='fasterrcnn: weights of torchvision (default: '
                        'fetched)')
    parser.add_argument('--classes', metavar='NAMES', help='keep these classes, such as person,car (default: all)')
    parser.add_argument('--score', type=share, default=0.3, help='least confidence (default 0.3)')
    parser.add_argument('--convert', type=Path, metavar='BOXES',
                        help='run no detector: read these boxes (FairMOT or YOLOv5 text, COCO JSON) and write --out')
    parser.add_argument('--format', choices=('coco', 'yolov5', 'fairmot'), default='coco',
                        help='with --convert: what to write; for text --out is a folder (default coco)')


def run(options: argparse.Namespace) -> int:
    """Detect or convert, as the options say; returns the exit status.

    Raises:
        UserError: options that do not fit one another, and what `detect_pairs` and `convert_boxes` raise.
    """
    from cmd_plugin.data.paired import PairedDataset
    dataset = PairedDataset(options.pairs, options.layout)
    print(dataset.summary())
    if options.convert is not None:
        if any(value is not None for value in (options.detector, options.model, options.weights, options.names,
                                               options.classes)):
            raise UserError('--convert runs no detector: leave out --detector, --model, --weights, --names, --classes')
        if options.out is None:
            raise UserError('--convert needs --out: a file for coco, a folder for yolov5 and fairmot')
        from cmd_plugin.detect.converting import convert_boxes
        print(convert_boxes(dataset, options.pairs, options.convert, options.out, options.format))
        return 0
    if options.format != 'coco':
        raise UserError('detections are written as COCO JSON; for text convert them afterwards: '
                        f'--convert FILE --format {options.format} --out FOLDER')
    from cmd_plugin.checkpoints import place_of
    from cmd_plugin.detect.choosing import choose_classes, make_detector
    from cmd_plugin.detect.detecting import detect_pairs
    detector = make_detector(options.detector, options.model, options.weights, options.names)
    classes = choose_classes(options.classes, detector.names)
    out = options.out or place_of(options.pairs, 'boxes', '.json')
    print(detect_pairs(dataset, options.pairs, detector, out, classes, options.score))
    return 0
