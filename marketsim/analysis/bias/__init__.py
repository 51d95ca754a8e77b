"""Tests of what language models answer: independence first, then shares, contrasts and laws, from tables of answers."""

from typing import TYPE_CHECKING

from marketsim.core.lazy import lazy_exports

if TYPE_CHECKING:
    from marketsim.analysis.bias.answers import Answers as Answers
    from marketsim.analysis.bias.audit import Audit as Audit
    from marketsim.analysis.bias.audit import Group as Group
    from marketsim.analysis.bias.audit import audit_categorical as audit_categorical
    from marketsim.analysis.bias.audit import audit_table as audit_table
    from marketsim.analysis.bias.battery import audit_group as audit_group
    from marketsim.analysis.bias.battery import give_verdicts as give_verdicts
    from marketsim.analysis.bias.columns import Columns as Columns
    from marketsim.analysis.bias.errors import AnswerDataError as AnswerDataError
    from marketsim.analysis.bias.results import TestResult as TestResult
    from marketsim.analysis.bias.settings import Settings as Settings
    from marketsim.analysis.bias.table import AnswerTable as AnswerTable
    from marketsim.analysis.bias.table import Factor as Factor

__getattr__, __dir__, __all__ = lazy_exports(
    __name__,
    {
        ".answers": ["Answers"],
        ".audit": ["Audit", "Group", "audit_categorical", "audit_table"],
        ".battery": ["audit_group", "give_verdicts"],
        ".columns": ["Columns"],
        ".errors": ["AnswerDataError"],
        ".results": ["TestResult"],
        ".settings": ["Settings"],
        ".table": ["AnswerTable", "Factor"],
    },
)
