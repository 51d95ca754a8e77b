"""The report of a run: one HTML page that needs nothing beside itself, made from the measures of ``analysis``."""

from typing import TYPE_CHECKING

from marketsim.core.lazy import lazy_exports

if TYPE_CHECKING:
    from marketsim.report.html import render_report as render_report
    from marketsim.report.view import ReportInput as ReportInput

__getattr__, __dir__, __all__ = lazy_exports(__name__, {".html": ["render_report"], ".view": ["ReportInput"]})
