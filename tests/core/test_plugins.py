"""The plugin door: who is let in, who is told what, and that the house itself comes in through it."""

from __future__ import annotations

import ast
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from ltr.admin import plugins
from ltr.admin.errors import UserError
from ltr.run_training import find_settings
from tests.conftest import REPO

GROUP = 'pytracking.trackers'
STOCK = 'pytracking.tracker.dimp:get_tracker_class'


def declared() -> dict[str, list[str]]:
    """`ENTRY_POINTS` of setup.py."""
    for node in ast.parse((REPO / 'setup.py').read_text(encoding='utf-8')).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == 'ENTRY_POINTS':
            return ast.literal_eval(node.value)
    raise AssertionError('setup.py has no ENTRY_POINTS')


ENTRIES = [(group, *map(str.strip, line.split('='))) for group, lines in declared().items() for line in lines]


@pytest.fixture
def install(tmp_path, monkeypatch):
    """`install('alpha', {name: value})`: a distribution as pip leaves it, on the import path."""
    site = tmp_path / 'site'
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.delenv(plugins.VARIABLE, raising=False)

    def make(distribution: str, entries: dict[str, str], group: str = GROUP) -> Path:
        info = site / f'{distribution}-1.0.dist-info'
        info.mkdir()
        (info / 'METADATA').write_text(f'Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n')
        lines = [f'[{group}]', *(f'{name} = {value}' for name, value in entries.items())]
        (info / 'entry_points.txt').write_text('\n'.join(lines) + '\n')
        return site
    return make


def test_a_plugin_is_found_and_imported_only_when_asked_for(install):
    site = install('alpha', {'mine': 'alpha_tracker:make'})
    entry = plugins.find(GROUP, 'mine')
    (site / 'alpha_tracker.py').write_text('def make():\n    return 41\n')
    assert 'mine' in plugins.names(GROUP) and entry.load()() == 41
    assert plugins.load(GROUP, 'mine')() == 41


def test_a_typo_suggests_the_near_name_and_lists_all(install):
    install('alpha', {'siamese': 'alpha:x'})
    with pytest.raises(UserError, match=r"tracker 'siamees': did you mean 'siamese'\? known: .*dimp.*, siamese"):
        plugins.load(GROUP, 'siamees')
    with pytest.raises(UserError, match=r"^unknown tracker 'zzz': known: "):
        plugins.find(GROUP, 'zzz')


def test_an_empty_group_asks_for_the_installation(monkeypatch):
    monkeypatch.setattr(plugins, 'entry_points', lambda group: [])
    with pytest.raises(UserError, match='is the package installed'):
        plugins.load(GROUP, 'dimp')


def test_a_group_that_does_not_exist_is_a_programming_error():
    with pytest.raises(ValueError, match=r'pytracking\.tracker'):
        plugins.names('pytracking.tracker')


def test_two_providers_of_one_name_are_both_named(install):
    install('alpha', {'mine': 'alpha:x', 'other': 'json:dumps'})
    install('beta', {'mine': 'beta:x'})
    with pytest.raises(UserError, match="tracker 'mine' is provided by alpha and beta"):
        plugins.load(GROUP, 'mine')
    assert plugins.load(GROUP, 'other')('a') == '"a"'


def test_one_target_under_two_distributions_is_no_conflict(install):
    """The same project installed under an old and a new name."""
    install('alpha', {'mine': 'json:dumps'})
    install('beta', {'mine': 'json:dumps'})
    assert plugins.load(GROUP, 'mine')(1) == '1'


def test_a_core_name_cannot_be_overridden(install, capsys):
    install('intruder', {'dimp': 'json:dumps'})
    assert plugins.find(GROUP, 'dimp').value == STOCK
    captured = capsys.readouterr()
    assert captured.out == '' and captured.err.count('\n') == 1
    assert captured.err.startswith("warning: intruder also provides the tracker 'dimp'")


def test_a_core_name_cannot_be_overridden_from_the_environment_either(install, capsys, monkeypatch):
    site = install('alpha', {})
    (site / 'shadow_plugin.py').write_text(f'entry_points = {{{GROUP!r}: {{"dimp": "json:dumps"}}}}\n')
    monkeypatch.setenv(plugins.VARIABLE, 'shadow=shadow_plugin')
    assert plugins.find(GROUP, 'dimp').value == STOCK
    assert 'shadow also provides' in capsys.readouterr().err


def test_a_broken_neighbour_harms_nobody_who_does_not_use_it(install):
    site = install('broken', {'raises': 'broken_tracker:x', 'nameless': 'json:nope',
                              'absent': 'no_such_module_at_all:x'})
    (site / 'broken_tracker.py').write_text('raise RuntimeError("wrong driver")\n')
    assert {'raises', 'absent', 'dimp'} <= set(plugins.names(GROUP))
    assert plugins.load(GROUP, 'dimp')().__name__ == 'DiMP'
    with pytest.raises(RuntimeError, match='wrong driver'):
        plugins.load(GROUP, 'raises')
    with pytest.raises(ModuleNotFoundError, match='no_such_module_at_all'):
        plugins.load(GROUP, 'absent')
    with pytest.raises(AttributeError, match='nope'):
        plugins.load(GROUP, 'nameless')


def test_an_import_error_inside_a_settings_file_comes_through(install):
    site = install('alpha', {'alpha': 'alpha_settings'}, 'pytracking.train_settings')
    package = site / 'alpha_settings'
    package.mkdir()
    (package / '__init__.py').touch()
    (package / 'fine.py').write_text('def run(settings):\n    pass\n')
    (package / 'needy.py').write_text('import a_package_nobody_has\n')
    assert find_settings('alpha', 'fine').run(None) is None
    with pytest.raises(ModuleNotFoundError) as caught:
        find_settings('alpha', 'needy')
    assert caught.value.name == 'a_package_nobody_has'
    assert caught.traceback[-1].path.name == 'needy.py'


def test_work_that_is_not_installed_comes_in_through_the_environment(install, monkeypatch):
    site = install('alpha', {})
    for name in ('one', 'two'):
        offers = {GROUP: {name: 'json:dumps'}}
        (site / f'door_{name}.py').write_text(f'entry_points = {offers!r}\n')
    monkeypatch.setenv(plugins.VARIABLE, ' first=door_one , second=door_two,')
    assert {'one', 'two', 'dimp'} <= set(plugins.names(GROUP))
    assert plugins.load(GROUP, 'two')([]) == '[]'
    assert 'one' not in plugins.names('pytracking.networks')


@pytest.mark.parametrize(('text', 'message'), [
    ('door', "'door' is not of the form name=module"),
    ('=door', "'=door' is not of the form"),
    ('door=', "'door=' is not of the form"),
    ('a=no_such_module_at_all', "no module 'no_such_module_at_all'"),
    ('a=json.no_such_part', r"no module 'json\.no_such_part'"),
    ('a=json', "'json' has no dictionary entry_points"),
    ('a=door_typo', r"unknown group 'pytracking\.tracker': did you mean 'pytracking\.trackers'"),
])
def test_a_malformed_variable_is_told_in_one_line(install, monkeypatch, text, message):
    site = install('alpha', {})
    (site / 'door_typo.py').write_text('entry_points = {"pytracking.tracker": {}}\n')
    monkeypatch.setenv(plugins.VARIABLE, text)
    with pytest.raises(UserError, match=message) as caught:
        plugins.names(GROUP)
    assert plugins.VARIABLE in str(caught.value) and '\n' not in str(caught.value)


@pytest.mark.parametrize(('source', 'error'), [('import a_package_nobody_has', ModuleNotFoundError),
                                               ('None.entry_points', AttributeError)])
def test_a_named_module_that_fails_by_itself_is_not_explained_away(install, monkeypatch, source, error):
    site = install('alpha', {})
    (site / f'door_{error.__name__}.py').write_text(source + '\n')
    monkeypatch.setenv(plugins.VARIABLE, f'a=door_{error.__name__}')
    with pytest.raises(error):
        plugins.names(GROUP)


@pytest.mark.parametrize(('group', 'name', 'value'), ENTRIES, ids=[f'{entry[0]}-{entry[1]}' for entry in ENTRIES])
def test_every_declared_entry_point_loads(group, name, value):
    loaded = EntryPoint(name, value, group).load()
    if group in ('pytracking.train_settings', 'pytracking.parameters'):
        assert loaded.__path__, f'{value} must be a package'
    elif group == 'pytracking.cmd_families':
        assert loaded.name == name
    else:
        assert callable(loaded)


def test_the_installation_declares_what_setup_declares():
    """Fails after an edit of setup.py until the project is installed again."""
    for group in plugins.GROUPS:
        ours = {entry.name: entry.value for entry, _ in plugins._providers(group) if entry.value.split('.')[0] in
                ('ltr', 'pytracking', 'cmd_plugin')}
        assert ours == {name: value for g, name, value in ENTRIES if g == group}


def test_declared_groups_are_the_known_ones():
    assert set(declared()) - {'console_scripts'} == set(plugins.GROUPS)


@pytest.mark.parametrize('group', plugins.GROUPS)
def test_every_extension_point_is_documented(group):
    assert f'`{group}`' in (REPO / 'docs' / 'extending.md').read_text(encoding='utf-8')
