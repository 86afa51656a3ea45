"""Neither toolkit shadows the other: in a process that uses a checkout, `ltr` is the checkout's and nobody else's."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from cmd_plugin.upstream import activation
from cmd_plugin.upstream.command import START
from tests.conftest import REPO
from tests.system.conftest import clean_environment

WHERE = """
import importlib.util, json, sys
print(json.dumps([importlib.util.find_spec(name).origin for name in ('ltr', 'pytracking', 'cmd_plugin')]
                 + [sys.path, 'torch' in sys.modules]))
"""
# As an editable installation of our toolkit does it, and as a rude one might.
INSTALLED = f"""
import os, sys
from importlib.machinery import PathFinder
class Installed:
    @staticmethod
    def find_spec(name, path=None, target=None):
        parts = name.split('.')
        place = os.path.join({str(REPO)!r}, *parts[:-1])
        return PathFinder.find_spec(name, [place]) if parts[0] in ('ltr', 'pytracking') else None
sys.meta_path.insert(1, Installed)
"""


@pytest.mark.parametrize('before', ['', INSTALLED, f'import sys; sys.path.insert(0, {str(REPO)!r})'])
def test_the_toolkit_is_the_checkouts_alone(active, checkout, before):
    result = active(before + WHERE)
    assert result.returncode == 0, result.stderr
    ltr, pytracking, plugin, path, torch = json.loads(result.stdout)
    assert ltr == str(checkout / 'ltr' / '__init__.py') and pytracking == str(checkout / 'pytracking' / '__init__.py')
    assert plugin == str(REPO / 'cmd_plugin' / '__init__.py')
    assert not torch, 'the start of a process costs no torch'
    if not before:
        assert str(REPO) not in path and str(checkout) in path


OURS_ALONE = ('ltr.admin.plugins', 'ltr.trainers.replay', 'pytracking.analyse', 'pytracking.parameter.dimp.dimp_small')


def test_what_the_checkout_lacks_is_not_taken_from_us(active):
    result = active(INSTALLED + f"""
import importlib
from cmd_plugin.upstream.presence import has
for name in {OURS_ALONE}:
    try:
        print(name, has(name), importlib.import_module(name).__file__)
    except ModuleNotFoundError as error:
        print(error.name)
print(has('ltr.admin'), has('ltr.admin.loading'))
""")
    assert result.stdout.split() == [*OURS_ALONE, 'True', 'True'], result.stderr


def test_a_toolkit_that_was_imported_before_is_told(checkout):
    code = ('import ltr\nfrom cmd_plugin.upstream.activation import activate\n'
            f'try:\n    activate({str(checkout)!r})\nexcept ImportError as error:\n    print(error)')
    result = subprocess.run([sys.executable, '-c', code], cwd=REPO, capture_output=True, text=True, check=True,
                            env=clean_environment())
    assert f'ltr has been imported from {REPO / "ltr"}, not from the checkout {checkout}' in result.stdout


def test_a_second_checkout_in_one_process_is_told(active, tmp_path):
    result = active(f'from cmd_plugin.upstream.activation import activate; activate({str(tmp_path)!r})')
    assert result.returncode == 1 and 'this process uses the toolkit of' in result.stderr


def test_by_hand_in_a_process_that_has_begun(checkout, tmp_path):
    """As in a notebook: modules that are there already get what would have followed their import."""
    code = ('import torch\nfrom cmd_plugin.upstream.activation import activate, active\n'
            f'activate({str(checkout)!r}); activate({str(checkout)!r})\n'
            'print(hasattr(torch, "rfft"), active())\n'
            'import ltr.train_settings.cmd_dimp as found\nprint(found.__file__)')
    result = subprocess.run([sys.executable, '-c', code], cwd=tmp_path, capture_output=True, text=True, check=True,
                            env=clean_environment(PYTHONPATH=str(REPO)))
    assert result.stdout.splitlines() == [
        f'True {checkout}', str(REPO / 'cmd_plugin' / 'train_settings' / 'cmd_dimp' / '__init__.py')]


def test_here_nothing_is_active():
    assert activation.active() is None and activation.stray_toolkit() is None


def test_a_stray_toolkit_in_the_current_folder_is_seen(checkout):
    code = 'from cmd_plugin.upstream.activation import stray_toolkit; print(stray_toolkit())'
    result = subprocess.run([sys.executable, '-c', code], cwd=checkout, capture_output=True, text=True, check=True,
                            env=clean_environment(PYTHONPATH=str(REPO)))
    assert result.stdout.strip() == str(checkout)


def test_a_sitecustomize_of_the_users_own_still_runs(tmp_path):
    (tmp_path / 'site').mkdir()
    (tmp_path / 'site' / 'sitecustomize.py').write_text('print("the user\'s own")')
    places = os.pathsep.join((str(START), str(tmp_path / 'site')))
    result = subprocess.run([sys.executable, '-c', ''], capture_output=True, text=True, check=True,
                            env=clean_environment(PYTHONPATH=places))
    assert result.stdout == "the user's own\n"
