"""CMD-PrDiMP and CMD-SuperDiMP on the stand-in for a stock checkout: the plugin takes only what stock has, too."""

from __future__ import annotations

import pytest

from tests.distilling.conftest import network_file
from tests.upstream.conftest import changes, checkout, pristine, upstream

__all__ = ['checkout', 'pristine', 'upstream']  # fixtures

SHORT = ('--epochs', '1', '--samples', '4', '--batch', '2', '--workers', '0', '--device', 'cpu')


@pytest.mark.slow
@pytest.mark.parametrize('tracker', ['cmd_prdimp', 'cmd_super_dimp'])
def test_d3_trains(upstream, checkout, tmp_path, world_pairs, tracker):
    result = upstream('train', tracker, 'd3', '--data', world_pairs, '--init', network_file(tmp_path, tracker=tracker),
                      *SHORT)
    assert result.returncode == 0, result.stderr
    assert 'Finished training!' in result.stdout and 'Loss/bbe_divergence' in result.stdout
    assert (tmp_path / f'ws/checkpoints/ltr/{tracker}/d3/DiMPnet_ep0001.pth.tar').is_file()
    assert changes(checkout) == ''
