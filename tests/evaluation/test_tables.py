import csv

import numpy as np
import pytest

from ltr.admin.errors import UserError
from pytracking.analysis import (
    extract_results,
    format_table,
    plot_results,
    print_results,
    results_table,
    save_plot,
)
from pytracking.analysis.extract_results import merge_runs
from pytracking.evaluation import Sequence, SequenceList, Tracker, trackerlist
from pytracking.evaluation.results import write_results


@pytest.fixture
def sequences() -> SequenceList:
    boxes = np.tile([20.0, 20, 10, 10], (4, 1))
    return SequenceList([Sequence(name, [''] * 4, 'd', boxes) for name in ('a', 'b')])


def save(tracker: Tracker, sequences: SequenceList, shift: float, seconds: float = 0.1) -> Tracker:
    for sequence in sequences:
        times = np.full(4, seconds)
        times[0] = 100
        boxes = sequence.ground_truth_rect + np.array([shift, 0, 0, 0])
        write_results(tracker.results_dir, sequence.name, boxes, times)
    return tracker


def test_format_table():
    text = format_table([['a long name', 12.34, None], ['b', 5, 'x']], ['Name', 'One', 'Two'])
    assert text.splitlines() == ['Name          One  Two', '----------------------', 'a long name  12.3    -',
                                 'b               5    x']
    with pytest.raises(ValueError, match='2 cells under 5'):
        format_table([['a', 1.0]])


def test_table_of_a_perfect_and_a_shifted_tracker(sequences, capsys):
    good = save(Tracker('t', 'good'), sequences, 0.0)
    bad = save(Tracker('t', 'bad', 2), sequences, 30.0, 0.05)
    results = print_results([good, bad], sequences, None)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split('  ')[0] == 'Tracker' and 'Norm. Prec.' in lines[0]
    assert lines[2].split() == ['t/good', '95.2', '100.0', '100.0', '10.0']
    # one frame of four is given
    assert lines[3].split() == ['t/bad', '#2', '23.8', '25.0', '25.0', '20.0']
    assert lines[4] == ('protocol lsotb, 2 sequences, 8 frames; x 100; Success = mean of 21 values, '
                        'Precision = value at 20 px, Norm. Prec. = mean of 51 values')
    assert results[0].result.sequence_figures('precision') == {'a': 1.0, 'b': 1.0}


def test_protocol_is_the_data_sets_unless_another_is_asked_for(sequences):
    tracker = save(Tracker('t', 'good'), sequences, 0.0)
    sequences.protocol = 'ptb'
    [result] = extract_results([tracker], sequences)
    assert result.result.protocol.name == 'ptb' and result.result.norm_precision is None
    assert results_table([result]).splitlines()[2].split() == ['t/good', '95.2', '100.0', '-', '10.0']
    [result] = extract_results([tracker], sequences, protocol='pytracking', plot_bin_gap=0.1)
    assert len(result.result.curve('success')) == 11
    assert 'value at 0.2' in results_table([result])


def test_missing_results(sequences, capsys):
    one, two = save(Tracker('t', 'one'), sequences, 0.0), save(Tracker('t', 'two'), sequences[:1], 0.0)
    with pytest.raises(UserError, match="no result for the sequence 'b'"):
        extract_results([one, two], sequences)
    results = extract_results([one, two], sequences, skip_missing_seq=True)
    assert [r.result.sequences for r in results] == [('a',), ('a',)]
    assert '1 without a result of every tracker' in capsys.readouterr().err
    with pytest.raises(UserError, match='no sequence to evaluate'):
        extract_results([Tracker('t', 'none')], sequences, skip_missing_seq=True)


def test_sequences_with_one_box_are_left_out_and_counted(sequences, capsys):
    sequences.append(Sequence('c', ['', ''], 'd', np.ones((1, 4))))
    [result] = extract_results([save(Tracker('t', 'one'), sequences[:2], 0.0)], sequences)
    assert result.result.sequences == ('a', 'b')
    assert '1 with a box for the first frame only' in capsys.readouterr().err


def test_dropped_sequences_are_said(sequences):
    sequences.append(Sequence('c', [''] * 4, 'd', np.zeros((4, 4))))
    [result] = extract_results([save(Tracker('t', 'one'), sequences, 0.0)], sequences)
    assert result.result.success == pytest.approx(20 / 21)
    assert '1 of 3 sequences with an all-zero success curve dropped' in results_table([result])


def test_runs_are_merged(sequences):
    runs = trackerlist('t', 'runs', (1, 2))
    for tracker, shift in zip(runs, (0.0, 30.0), strict=True):
        save(tracker, sequences, shift)
    [merged] = merge_runs(extract_results(runs, sequences))
    assert merged.label == 't/runs' and merged.result.precision == pytest.approx((1 + 0.25) / 2)
    assert merged.frames_per_second == pytest.approx(10)


def test_unlike_results_do_not_share_a_table(sequences):
    tracker = save(Tracker('t', 'one'), sequences, 0.0)
    both = extract_results([tracker], sequences) + extract_results([tracker], sequences[:1])
    with pytest.raises(ValueError, match='one table'):
        results_table(both)
    with pytest.raises(ValueError, match='no result'):
        results_table([])


def test_without_a_time_file_the_speed_is_unknown(sequences):
    tracker = save(Tracker('t', 'one'), sequences, 0.0)
    (tracker.results_dir / 'a_time.txt').unlink()
    [result] = extract_results([tracker], sequences)
    assert result.frames_per_second is None


def test_plots_and_report(sequences, clean_environment, tmp_path):
    trackers = [save(Tracker('t', 'good'), sequences, 0.0), save(Tracker('t', 'bad'), sequences, 3.0)]
    files = plot_results(trackers, sequences, 'report', plot_types=('success', 'prec'))
    folder = clean_environment / 'result_plots' / 'report'
    assert files == [folder / 'success.png', folder / 'precision.png']
    assert all(path.read_bytes().startswith(b'\x89PNG') for path in files)
    rows = list(csv.DictReader((folder / 'sequences.csv').open()))
    assert len(rows) == 4 and rows[0]['success'] == '0.95238' and rows[0]['protocol'] == 'lsotb'
    with pytest.raises(UserError, match="unknown plot type 'sucess': did you mean 'success'"):
        plot_results(trackers, sequences, 'report', plot_types='sucess')
    ptb = extract_results(trackers, sequences, protocol='ptb')
    with pytest.raises(UserError, match='protocol ptb has no norm_precision plot'):
        save_plot(ptb, tmp_path / 'x.png', 'norm_precision')


def test_the_legend_ranks_the_trackers(sequences, tmp_path, monkeypatch):
    from matplotlib.figure import Figure
    seen = []
    monkeypatch.setattr(Figure, 'savefig', lambda self, path, **_k: (seen.append(self), path.touch()))
    trackers = [save(Tracker('t', 'bad'), sequences, 3.0), save(Tracker('t', 'good'), sequences, 0.0)]
    save_plot(extract_results(trackers, sequences), tmp_path / 'x.png')
    legend = [text.get_text() for text in seen[0].axes[0].get_legend().get_texts()]
    assert legend[0] == 't/good [95.2]' and legend[1].startswith('t/bad [')
