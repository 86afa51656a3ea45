"""What must be kept apart is kept apart: videos of the parent, clips of the selection, the test and the choice."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from cmd_plugin.errors import UserError
from cmd_plugin.reproduce import choice, clips, evaluation, parent, sources, tracking
from cmd_plugin.reproduce.adoption import adopt
from cmd_plugin.reproduce.kept_out import KEPT_OUT, divide
from cmd_plugin.reproduce.pairs import clip_of, divide_pairs
from cmd_plugin.reproduce.places import PARTS, Data, Work, write_json
from cmd_plugin.reproduce.sizes import SIZES


def test_kept_out_videos_take_all_their_targets_along():
    names = ['bag', 'otb_jogging1', 'otb_jogging2', 'sets/David', 'baggage']
    assert divide(names) == (['otb_jogging1', 'otb_jogging2', 'baggage'], ['bag', 'sets/David'])
    learned, out = divide(names, ['otb_jogging2'])
    assert out == ['otb_jogging1', 'otb_jogging2'] and 'bag' in learned


@pytest.mark.parametrize('names', [['bag', 'David'], ['Car4']])
def test_nothing_left_on_one_side_is_an_error(names):
    with pytest.raises(UserError, match='both are needed'):
        divide(names)


def test_kept_out_sequences_are_not_learned_from(data):
    learned = {sequence.name for sequence in sources.labelled_video(data.root / 'rgb').sequences}
    tested = {sequence.name for sequence in parent.kept_out_sequences(data, SIZES['test'])}
    assert learned == {'otb_jogging1', 'otb_jogging2'} and tested == {'bag', 'David'}


def test_the_kept_out_videos_of_the_real_data_are_there(shared_data):
    learned = {sequence.name for sequence in sources.labelled_video(shared_data / 'rgb').sequences}
    tested = {sequence.name for sequence in parent.kept_out_sequences(Data(shared_data), SIZES['quick'])}
    assert tested == set(KEPT_OUT) and not learned & tested and len(learned) > 40


def test_clips_of_selection_have_no_pair_in_training(data):
    root = data.root / 'pairs'
    training, clips = divide_pairs(root)
    assert list(clips) == ['m3svd/00000', 'm3svd/00002']
    used = [clip_of(training.paths(i)[0], root) for i in range(len(training))]
    assert set(used) == {None, 'm3svd/00001'} and used.count(None) == 4 and len(used) == 8
    assert all(clip_of(clips[name].paths(i)[0], root) == name for name in clips for i in range(4))
    files = {training.paths(i) for i in range(8)} | {one.paths(i) for one in clips.values() for i in range(4)}
    assert len(files) == 16, 'every pair is in one place'


def test_real_pairs_are_apart_too(shared_data):
    training, clips = divide_pairs(shared_data / 'pairs')
    assert sorted(clips) == ['m3svd/0111_1716', 'm3svd/0111_1803', 'm3svd/0114_1609', 'm3svd/0115_1831',
                             'm3svd/0115_1847', 'vtuav_bus1/all']
    assert len(training) + sum(map(len, clips.values())) == 635 - 42
    assert not [i for i in range(len(training)) if 'tno' in training.paths(i)[0].parts], 'its halves are not aligned'


def test_targets_of_selection_are_what_the_detector_sees_and_without_any_it_says_so(data, work, size, monkeypatch):
    sources.detect(data, work)
    found = clips.targets(data, work, size)
    assert {one['name'] for one in found} == {'m3svd_00000_0_0', 'm3svd_00002_0_0'}
    first = divide_pairs(data.root / 'pairs')[1]['m3svd/00000'].paths(0)[0]
    record = sources.records(data, work)[f'm3svd/visible/{first.name}']
    assert found[0]['truth'][0] == pytest.approx(sources.boxes_of(record)[0], abs=0.01), 'the first frame is not moved'
    assert found[0]['truth'][1][:2] != pytest.approx(sources.boxes_of(record)[0][:2], abs=0.5), 'the second one is'
    assert all(len(one['rgb']) == len(one['tir']) == len(one['truth']) == 4 for one in found)
    assert {Path(path).parts[-3:-1] for one in found for path in (*one['rgb'], *one['tir'])} == {
        (f'm3svd_{clip}_0', half) for clip in ('00000', '00002') for half in ('visible', 'infrared')}
    monkeypatch.setattr(clips, 'inside', lambda boxes, image: 0.79 * np.ones(len(boxes)))
    with pytest.raises(UserError, match='on no selection clip'):
        clips.targets(data, work, size)
    monkeypatch.undo()
    content = json.loads(work.boxes.read_text())
    work.boxes.write_text(work.boxes.read_text().replace('"person"', '"umbrella"'))
    with pytest.raises(UserError, match='on no selection clip'):
        clips.targets(data, work, size)
    work.boxes.write_text(json.dumps({**content, 'annotations': []}))
    with pytest.raises(UserError, match='on no selection clip') as caught:
        clips.targets(data, work, size)
    assert '\n' not in str(caught.value)


def test_visible_halves_have_detected_and_random_boxes_within_the_image(data, work):
    sources.detect(data, work)
    pairs, _ = divide_pairs(data.root / 'pairs')
    detected, drawn = sources.visible_halves(pairs, data.root / 'pairs', sources.records(data, work), 0)
    assert len(detected) == len(pairs) and len(drawn) == sources.RANDOM_BOXES * len(pairs)
    halves = sources.VisibleHalves('drawn', pairs, drawn)
    for number in range(len(halves)):
        [image, same], anno, _ = halves.get_frames(number, [1, 1])
        x, y, w, h = anno['bbox'][0].tolist()
        assert image is same and image.shape[2] == 3
        assert x >= 0 and y >= 0 and x + w <= image.shape[1] and y + h <= image.shape[0] and w > 0
    assert drawn == sources.visible_halves(pairs, data.root / 'pairs', sources.records(data, work), 0)[1]


@pytest.fixture
def scored(work, size):
    for row, values in (('c1', {'1': 40.0, '2': 41.0}), ('d5', {'1': 42.0, '2': 42.0}),
                        ('d3_varied', {'1': 42.0, '2': 41.0})):
        write_json(work.candidate(row, 1e-4), {'row': row, 'rate': 1e-4, 'scores': {
            steps: {'success': value, 'by_clip': {}} for steps, value in values.items()}})
    return work


def test_the_best_row_is_chosen_with_the_fewer_steps_of_equals(scored, size):
    choice.choose(scored, size)
    assert choice.locked(scored) == [{'row': 'd5', 'rate': 1e-4, 'steps': 1, 'success': 42.0}]


def test_no_look_at_the_test_before_the_choice(data, parent_only, size):
    for look in (lambda: evaluation.evaluate(data, parent_only, size, 'parent', parent_only.parent, 'cpu'),
                 lambda: evaluation.evaluate_static(data, parent_only, size)):
        with pytest.raises(UserError, match='no choice stands yet'):
            look()
    assert not list(parent_only.root.glob('evaluation/*')) and not parent_only.tracking.exists()


@pytest.fixture
def parent_only(parent):
    return parent


@pytest.mark.parametrize(('asked', 'device'), [('cpu', 'cpu'), ('meta', 'meta'), (None, 'cpu')])
def test_a_network_tracks_on_the_device_that_is_asked_for(parent_only, size, tmp_path, monkeypatch, asked, device):
    monkeypatch.setattr(tracking, 'pick_device', lambda name: torch.device('cpu' if name == 'auto' else name))
    params = tracking.FileTracker('x', parent_only.parent, size.crop, tmp_path, asked).get_parameters()
    assert params.net.device.type == device and params.use_gpu is (device != 'cpu')


def test_no_choice_after_a_look_at_the_test(scored, size):
    write_json(scored.figures('parent'), {})
    with pytest.raises(UserError, match='would not be blind'):
        choice.choose(scored, size)


def test_a_choice_changed_by_hand_is_refused(scored, size):
    choice.choose(scored, size)
    content = json.loads(scored.choice.read_text())
    content['chosen'][0]['row'] = 'c1'
    write_json(scored.choice, content)
    with pytest.raises(UserError, match='was changed after it was written'):
        choice.locked(scored)


@pytest.mark.parametrize('part', list(PARTS))
def test_missing_data_is_one_line(tmp_path, part):
    for name in PARTS:
        if name != part:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch() if path.suffix else path.mkdir()
    with pytest.raises(UserError, match='is missing') as caught:
        Data(tmp_path).check()
    assert str(tmp_path / part) in str(caught.value) and '\n' not in str(caught.value)


def test_no_data_folder_is_one_line():
    with pytest.raises(UserError, match='no folder'):
        Data(Path('nowhere')).check()


def said(numbers, data='here'):
    return {'numbers': numbers, 'data': data}


def test_only_a_finished_parent_of_the_same_size_is_taken(work, tmp_path):
    other = Work(tmp_path / 'other')
    with pytest.raises(UserError, match=r'begun\.json is not there: --parent DIR'):
        adopt(other, work, said('crop 1, rows a, precision float32'))
    write_json(other.root / 'begun.json', said('crop 1, rows b, steps 2, precision float32'))
    for number in (1, 2):
        write_json(other.epoch(number), {'loss': number, 'success': {}})
    for path in (other.boxes, other.kept_out):
        write_json(path, {})
    with pytest.raises(UserError, match=r'parent\.pth\.tar is not there'):
        adopt(other, work, said('crop 1, rows a, precision float32'))
    other.parent.write_bytes(b'weights')
    for stranger, has in ((said('crop 2, rows b, precision float32'), 'crop 2'),
                          (said('crop 1, rows b, precision bfloat16'), 'precision bfloat16'),
                          (said('crop 1, rows b, precision float32', 'elsewhere'), 'data elsewhere')):
        with pytest.raises(UserError, match=f'is another: crop 1, precision float32, data here; here it is .*{has}'):
            adopt(other, work, stranger)
    assert not work.parent.exists() and not parent.has_stopped(work, SIZES['test'])
    adopt(other, work, said('crop 1, rows a, precision float32'))
    assert work.parent.read_bytes() == b'weights' and len(parent.curve(work)) == 2
    assert parent.has_stopped(work, SIZES['test']), 'a parent that is there learns no further'
    other.parent.write_bytes(b'others')
    adopt(other, work, said('crop 1, rows a, precision float32'))
    assert work.parent.read_bytes() == b'weights'
