"""One self-contained page of an analysis: tables, curves, overlap timelines, frames. Needs no network."""

from pytracking.analysis.report.page import render_page, write_report
from pytracking.analysis.report.payload import make_payload

__all__ = ['make_payload', 'render_page', 'write_report']
