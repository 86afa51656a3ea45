"""Effects and tables of the ceiling."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from cmd_plugin.reproduce import plots
from cmd_plugin.reproduce.ceiling import ARMS, FOLDS, judged, label_of, rate_of
from cmd_plugin.reproduce.places import Work, read_json, write_json
from cmd_plugin.reproduce.report import TITLES, interval, markdown, spread
from cmd_plugin.reproduce.sizes import Size
from cmd_plugin.reproduce.statistics import effect
from cmd_plugin.reproduce.store import LAYER
from cmd_plugin.reproduce.summary import GOAL, by_run, means, plain
from cmd_plugin.reproduce.tracking import MEASURES
from ltr.admin.whole import write_whole


def write(work: Work, size: Size, seeds: int) -> None:
    """Write `ceiling.json`, a plot and, last, the tables."""
    found: dict[str, list[dict[str, Any]]] = {arm.name: [read_json(work.figures(label_of(arm, seed)))
                                                         for seed in range(seeds)] for arm in ARMS}
    found['parent'] = [read_json(work.figures('parent'))] * seeds
    selection = {arm.name: [read_json(judged(work, arm, seed))['success'] for seed in range(seeds)] for arm in ARMS}
    selection['parent'] = [read_json(work.candidate('parent', 0))['scores']['0']['success']]
    content: dict[str, Any] = {
        'folds': FOLDS, 'rate': rate_of(size), 'steps': size.steps[-1], 'batch': size.parent_batch, 'seeds': seeds,
        'means': {name: means(some) for name, some in {**found, 'parent': found['parent'][:1]}.items()},
        'selection': selection,
        'effects': {f'{first} less {second}': _effects(found[first], found[second]) for first, second in compared()}}
    write_json(work.root / 'ceiling.json', content)
    work.report.mkdir(parents=True, exist_ok=True)
    plots.by_row([{'row': of, 'effect': content['effects'][f'labels{learned} less control{learned}'],
                   'less_parent': {'control': content['effects'][f'control{learned} less parent']['success']}}
                  for of, learned in (('heads', ''), (f'heads, {LAYER}', '_opened'))],
                 GOAL['success'], work.report / 'ceiling.png', 'labels')
    write_whole(work.report / 'ceiling.md', ('\n\n'.join(text(content)) + '\n').encode())


def _effects(first: list[dict[str, Any]], second: list[dict[str, Any]]) -> dict[str, Any]:
    names = list(first[0]['videos'])
    videos = [first[0]['videos'][name] for name in names]
    return {measure: plain(asdict(effect(by_run(first, measure, names) - by_run(second, measure, names), videos)))
            for measure in MEASURES}


def compared() -> list[tuple[str, str]]:
    """What is held against what."""
    return [pair for learned in ('', '_opened') for pair in (
        (f'labels{learned}', f'control{learned}'), (f'labels{learned}', 'parent'), (f'control{learned}', 'parent'))]


def text(content: dict[str, Any]) -> list[str]:
    """Paragraphs and tables."""
    average = [[name, *(spread(values[measure]) for measure in MEASURES), spread(content['selection'][name])]
               for name, values in content['means'].items()]
    effects = [[name, *(interval(values[measure]) for measure in MEASURES),
                '-' if values['success']['detectable'] is None else f'{values["success"]["detectable"]:.1f}']
               for name, values in content['effects'].items()]
    return ['# What labels would give',
            f'The parent trained on for {content["steps"]} steps of {content["batch"]} samples at {content["rate"]:g}: '
            f'"labels" with labelled thermal video of other test videos ({content["folds"]} folds) as half of its '
            f'data, "control" with its RGB data alone; "opened" with layer3, too. {content["seeds"]} seeds.',
            markdown(['thermal runs', *TITLES, 'Success on selection clips'], average),
            markdown(['', *TITLES, 'seen with 80 %, Success'], effects),
            '![labels less control, and control less parent](ceiling.png)']
