"""Evaluation protocols, tables and plots."""

from pytracking.analysis.evaluate import Result, evaluate
from pytracking.analysis.extract_results import extract_results
from pytracking.analysis.playback import playback_results
from pytracking.analysis.plot_results import plot_results, print_results, results_table, save_plot
from pytracking.analysis.protocols import PROTOCOLS, Protocol, get_protocol
from pytracking.analysis.table import format_table

__all__ = ['PROTOCOLS', 'Protocol', 'Result', 'evaluate', 'extract_results', 'format_table', 'get_protocol',
           'playback_results', 'plot_results', 'print_results', 'results_table', 'save_plot']
