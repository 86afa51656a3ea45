"""Published figures: LSOTB-TIR, 119 sequences; Success, Precision and normalised Precision x 100.

Source: CMD paper, Table 1 (CMD-DiMP), and its comparison with ATOM, which gives the parent and the whole alone.
"""

from __future__ import annotations

from collections.abc import Mapping

Figures = tuple[float, float, float]

PAPER: Mapping[str, Mapping[str, Figures]] = {
    'cmd_dimp': {
        'a1': (66.2, 78.7, 70.7),
        'b1': (67.4, 80.4, 72.1),
        'b2': (67.2, 80.1, 71.9),
        'b3': (67.8, 80.8, 72.5),
        'c1': (67.7, 80.7, 72.5),
        'd1': (67.1, 79.7, 71.8),
        'd2': (67.6, 80.6, 72.3),
        'd3': (68.0, 80.8, 72.7),
        'd4': (67.3, 80.2, 72.1),
        'd5': (67.5, 80.4, 72.3),
    },
    'cmd_atom': {
        'a1': (59.3, 72.7, 64.5),
        'b3': (61.6, 75.4, 67.0),
    },
}
