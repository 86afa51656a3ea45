import re
from pathlib import Path

import numpy as np
import pytest

from ltr.admin.errors import UserError
from pytracking.evaluation import Sequence, SequenceList, dataset_dict, get_dataset, load_dataset, local
from pytracking.evaluation.datasets import DatasetInfo
from pytracking.evaluation.environment import EnvSettings
from pytracking.evaluation.folderdataset import FolderDataset
from tests.evaluation.conftest import box_path, write_sequence


def test_registered_sets_are_in_the_dictionary():
    assert dataset_dict['folder'] == DatasetInfo('pytracking.evaluation.folderdataset', 'FolderDataset', {})
    assert {'folder', 'thermal'} <= set(dataset_dict)
    with pytest.raises(KeyError):
        dataset_dict['foldr']


def test_unknown_set_names_the_near_one():
    with pytest.raises(UserError, match="unknown data set 'foldr': did you mean 'folder'"):
        load_dataset('foldr')


def test_a_set_entered_by_hand(tmp_path):
    write_sequence(tmp_path / 'a', box_path())
    info = DatasetInfo(FolderDataset.__module__, 'FolderDataset', {'root': tmp_path, 'name': 'mine'})
    dataset_dict['mine'] = info
    try:
        assert [s.dataset for s in get_dataset('mine')] == ['mine'] and 'mine' in dataset_dict
    finally:
        del dataset_dict['mine']
    with pytest.raises(UserError, match='registered already'):
        dataset_dict['folder'] = info


def test_protocol_and_folder_come_from_the_set_and_the_environment(tmp_path, monkeypatch):
    write_sequence(tmp_path / 'a', box_path())
    monkeypatch.setenv('PYTRACKING_THERMAL_PATH', str(tmp_path))
    sequences = get_dataset('thermal')
    assert sequences.protocol == 'ptb' and sequences[:1].protocol == 'ptb'
    monkeypatch.setenv('PYTRACKING_FOLDER_PATH', str(tmp_path))
    with pytest.raises(UserError, match='different protocols'):
        get_dataset('thermal', 'folder')
    with pytest.raises(UserError, match='occurs twice'):
        get_dataset('folder', 'folder')


def test_sequence_list_by_name():
    items = SequenceList([Sequence(n, ['f'], 'd', np.ones((1, 4))) for n in ('one', 'two')])
    assert items['two'] is items[1] and [s.name for s in items[[1, 0]]] == ['two', 'one']
    with pytest.raises(UserError, match="'twoo': did you mean 'two'"):
        items['twoo']


def test_cut_sequence():
    sequence = Sequence('a', ['1', '2', '3'], 'd', np.ones((3, 4)), target_visible=np.array([1, 0, 1], bool))
    cut = sequence.first(2)
    assert (len(cut), len(cut.ground_truth_rect), len(cut.target_visible), cut.full_length) == (2, 2, 2, 3)
    assert len(sequence) == 3


def test_a_path_is_set_as_the_file_for_it_tells(monkeypatch):
    """The example of the docstring, put before the last line."""
    text = Path(local.__file__).read_text(encoding='utf-8')
    example = re.search(r"`(settings\.lsotb_tir_path = '.*')`", text)[1]
    *lines, last = text.rstrip().splitlines()
    module = {}
    exec('\n'.join([*lines, f'    {example}', last]), module)
    monkeypatch.setenv('PYTRACKING_LSOTB_TIR_PATH', '/elsewhere')
    assert module['local_env_settings']().lsotb_tir_path == '/data/LSOTB-TIR'
    assert module['local_env_settings']().lasot_path == ''


def test_paths(monkeypatch, tmp_path):
    monkeypatch.setenv('PYTRACKING_WORKSPACE_DIR', str(tmp_path))
    settings = EnvSettings()
    assert settings.results_path == str(tmp_path / 'tracking_results')
    assert settings.network_path == [str(tmp_path / 'networks'), str(tmp_path / 'checkpoints')]
    assert settings.result_plot_path == str(tmp_path / 'result_plots')
    assert settings.lasot_path == ''
    with pytest.raises(AttributeError):
        settings.unknown_thing  # noqa: B018
    monkeypatch.setenv('PYTRACKING_RESULTS_PATH', 'elsewhere')
    assert EnvSettings().results_path == 'elsewhere'
