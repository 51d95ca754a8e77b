"""The report of a run: one HTML page that needs nothing beside itself, made from the measures of ``analysis``."""

from typing import TYPE_CHECKING

from marketsim.core.lazy import lazy_exports

if TYPE_CHECKING:
    from marketsim.report.audit_page import render_audit as render_audit
    from marketsim.report.audit_view import AuditInput as AuditInput
    from marketsim.report.html import render_report as render_report
    from marketsim.report.reading import read_run as read_run
    from marketsim.report.reading import write_report as write_report
    from marketsim.report.view import ReportInput as ReportInput

__getattr__, __dir__, __all__ = lazy_exports(
    __name__,
    {
        ".audit_page": ["render_audit"],
        ".audit_view": ["AuditInput"],
        ".html": ["render_report"],
        ".reading": ["read_run", "write_report"],
        ".view": ["ReportInput"],
    },
)
