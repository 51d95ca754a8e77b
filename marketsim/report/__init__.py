"""The report of a run: one HTML page that needs nothing beside itself, made from the measures of ``analysis``."""

from typing import TYPE_CHECKING

from marketsim.core.lazy import lazy_exports

if TYPE_CHECKING:
    from marketsim.report.html import render_report as render_report
    from marketsim.report.reading import read_run as read_run
    from marketsim.report.reading import write_report as write_report
    from marketsim.report.view import ReportInput as ReportInput

__getattr__, __dir__, __all__ = lazy_exports(
    __name__, {".html": ["render_report"], ".reading": ["read_run", "write_report"], ".view": ["ReportInput"]}
)
