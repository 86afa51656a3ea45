"""Nothing that comes from elsewhere acts: no call that runs what a file holds, no name that leads out of its folder."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ltr.admin.errors import UserError
from pytracking.analysis.export import escape_latex, escape_markdown
from pytracking.analysis.report import write_report
from pytracking.evaluation.data import Sequence, SequenceList
from pytracking.evaluation.folderdataset import FolderDataset
from pytracking.evaluation.names import LONGEST, check_name, safe_name
from pytracking.evaluation.results import write_results
from tests.conftest import REPO
from tests.evaluation.analysed import make_analysis, make_sequences
from tests.evaluation.conftest import box_path, write_sequence
from tests.evaluation.test_report_page import Page

PACKAGES = ('ltr', 'pytracking', 'cmd_plugin')
# Calls that run, or may run, what a file or a text holds; what makes them safe.
NEVER = ('pickle.load', 'pickle.loads', 'pickle.Unpickler', 'cPickle.load', 'dill.load', 'joblib.load', 'marshal.load',
         'marshal.loads', 'shelve.open', 'yaml.load', 'yaml.unsafe_load', 'eval', 'exec', 'compile', 'os.system',
         'os.popen', 'torch.hub.load', 'pandas.read_pickle', 'tempfile.mktemp', 'extractall', 'extract',
         'shutil.unpack_archive', 'pty.spawn', 'loadmat')
# The plugin asks torch whether its own `torch.load` is a checking one, with an object of its own in memory.
ALLOWED = {('cmd_plugin/upstream/mends.py', 'torch.load')}


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    """Every call with the dotted name that it is made by."""
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def unsafe(name: str, call: ast.Call) -> str:
    """What is wrong with a call; empty where nothing is."""
    words = {word.arg: ast.unparse(word.value) for word in call.keywords}
    if name in NEVER or name.rsplit('.', 1)[-1] in ('extractall', 'extract', 'unpack_archive', 'loadmat', 'Unpickler'):
        return f'{name}()'
    if name == 'torch.load' and words.get('weights_only') != 'True':
        return 'torch.load without weights_only=True'
    if words.get('allow_pickle', 'False') != 'False':
        return 'allow_pickle'
    if words.get('shell', 'False') != 'False':
        return 'shell=True'
    if words.get('trust_remote_code', 'False') != 'False':
        return 'trust_remote_code'
    return ''


def test_the_search_sees_each_of_them(tmp_path):
    """Else the next test would pass by blindness."""
    path = tmp_path / 'a.py'
    for line in ('torch.load(p)', 'torch.load(p, weights_only=False)', 'pickle.load(f)', 'yaml.load(t)', 'eval(t)',
                 'np.load(p, allow_pickle=True)', 'exec(t)', 'archive.extractall(p)', 'tar.extract(m)', 'os.system(c)',
                 'subprocess.run(c, shell=True)', 'scipy.io.loadmat(p)', 'pickle.Unpickler(f).load()'):
        path.write_text(line)
        assert any(unsafe(*call) for call in calls(path)), line
    path.write_text('torch.load(p, weights_only=True)\nnet.eval()\nnp.load(p)\nsubprocess.run(c)\n'
                    'ast.literal_eval(t)\n')
    assert not any(unsafe(*call) for call in calls(path))


def test_nothing_runs_what_a_file_holds():
    found = [f'{path.relative_to(REPO)}:{call.lineno}: {unsafe(name, call)}' for package in PACKAGES
             for path in sorted((REPO / package).rglob('*.py')) for name, call in calls(path) if unsafe(name, call)
             and (path.relative_to(REPO).as_posix(), name) not in ALLOWED]
    assert not found


def test_no_archive_is_opened_but_to_be_checked():
    """The toolkit unpacks nothing; `zipfile` only tells whether a checkpoint's parts match their checksums."""
    using = {path.relative_to(REPO).as_posix() for package in PACKAGES for path in (REPO / package).rglob('*.py')
             if re.search(r'\b(zipfile|tarfile|unpack_archive)\b', path.read_text(encoding='utf-8'))}
    assert using <= {'ltr/admin/checkpoint.py'}


HOSTILE = ('../../x', '..', '.', '', 'a/b', 'a\\b', 'C:x', 'a\nb', 'a\rb', 'a\0b', '\x1b[2J', 'a\u2028b', 'CON', 'nul',
           'Com1', 'lpt9.txt', 'aux.a.b', 'x' * 300, 'ä' * 150, '/etc/passwd', '//host/share')


@pytest.mark.parametrize('name', HOSTILE)
def test_a_hostile_sequence_name_is_refused_in_one_line(name):
    with pytest.raises(UserError, match='a sequence cannot be called') as error:
        Sequence(name, ['1.png'], 'test', np.ones((1, 4)))
    assert str(error.value).splitlines() == [str(error.value)] and str(error.value).endswith('rename it')
    assert len(str(error.value)) < 300


@pytest.mark.parametrize('name', [*HOSTILE, 'plain', 'a b', 'ä', '<script>', 'a.b', '.hidden', 'car_D_001', '\udcff'])
def test_safe_names_stay_in_their_folder(tmp_path, name):
    safe = safe_name(name)
    check_name(safe)
    assert safe_name(safe) == safe and len(safe.encode('utf-8', 'surrogateescape')) <= LONGEST
    assert (tmp_path / safe).parent == tmp_path and not re.search(r'[<>:"/\\|?*\x00-\x1f]', safe)
    if name in ('plain', 'a b', 'ä', 'a.b', '.hidden', 'car_D_001'):
        assert safe == name


def test_long_names_stay_apart():
    names = ['x' * 300 + str(number) for number in range(20)]
    assert len({safe_name(name) for name in names}) == 20


@pytest.mark.parametrize('folder', ['con', 'a\nb', 'x' * 250, 'x..', 'a;rm -rf', 'nul.x', '$(x)', 'a\u2028b'])
def test_folders_with_such_names_write_their_results_where_they_belong(tmp_path, folder):
    write_sequence(tmp_path / 'set' / folder, box_path())
    [sequence] = FolderDataset(tmp_path / 'set').get_sequence_list()
    write_results(tmp_path / 'results', sequence.name, sequence.ground_truth_rect, np.zeros(5))
    written = {path.name for path in (tmp_path / 'results').rglob('*')}
    assert written == {f'{sequence.name}.txt', f'{sequence.name}_time.txt'}
    assert not {path.name for path in tmp_path.iterdir()} - {'set', 'results'}


def test_deep_folders_of_one_name_get_short_names(tmp_path):
    for part in ('one', 'two'):
        write_sequence(tmp_path / (part + 'p' * 100) / ('q' * 100) / 'seq', box_path())
    names = [sequence.name for sequence in FolderDataset(tmp_path).get_sequence_list()]
    assert len(set(names)) == 2 and all(len(name) <= LONGEST for name in names)


NAMES = ('<script>hacked = 1</script>', '</script><img src=x onerror="hacked = 1">', '"\'><b>', '${hacked}',
         '<!--<script>')
SEPARATORS = '\u2028\u2029'


def test_the_page_of_hostile_names_holds_two_scripts_and_no_element_of_theirs(tmp_path):
    """A whole page from a whole analysis: names of sequences, trackers, attributes, data set and sources."""
    sequences = make_sequences(names=('a', 'b', 'c', 'd'))
    analysis = make_analysis(tmp_path / 'r', sequences=sequences)
    for sequence, name in zip(sequences, NAMES, strict=False):
        sequence.attributes = frozenset({f'{name}{SEPARATORS}'})
    renamed = SequenceList([_called(sequence, name + SEPARATORS)
                            for sequence, name in zip(sequences, NAMES, strict=False)])
    known = dict(zip('abcd', (sequence.name for sequence in renamed), strict=True))
    results = [replace(item, label=name, boxes={known[key]: boxes for key, boxes in item.boxes.items()},
                       result=replace(item.result, sequences=tuple(known[key] for key in item.result.sequences)))
               for item, name in zip(analysis.results, NAMES, strict=False)]
    published = [replace(row, tracker=NAMES[0], source=NAMES[1]) for row in analysis.published]
    hostile = replace(analysis, dataset=NAMES[1] + SEPARATORS, sequences=renamed, results=results, published=published)
    for cached in ('counted', 'members'):
        hostile.__dict__.pop(cached, None)
    write_report(hostile, tmp_path / 'page.html')
    text = (tmp_path / 'page.html').read_text(encoding='utf-8')
    page = Page(text)
    assert [tag for tag, _ in page.elements].count('script') == 2 == len(page.scripts)
    assert not [tag for tag, _ in page.elements if tag in ('img', 'b', 'iframe')] and 'onerror="' not in text
    assert not [key for _, attributes in page.elements for key in attributes if key.startswith('on')]
    assert '\u2028' not in page.scripts[0] and '\u2029' not in page.scripts[0]
    data = json.loads(page.scripts[0])
    assert {sequence['name'] for sequence in data['sequences']} == set(known.values())
    assert NAMES[0] in {tracker['label'] for tracker in data['trackers']}
    assert any(NAMES[0] in attribute for attribute in data['attributes'])


def _called(sequence: Sequence, name: str) -> Sequence:
    """Past the check of names: the page must not rely on it."""
    sequence.name = name
    return sequence


@pytest.mark.parametrize('name', [*NAMES, 'a|b', 'a\n\nb', '\\input{x}', '[a](javascript:x)', '%', '`a`'])
def test_names_in_tables_are_text(name):
    for escaped in (escape_markdown(name), escape_latex(name)):
        assert '\n' not in escaped
    assert not re.search(r'(?<!\\)[<|`\[]', escape_markdown(name))
    assert not re.search(r'(?<!\\)[%$#&_]', escape_latex(name)) and '\\input' not in escape_latex(name)
