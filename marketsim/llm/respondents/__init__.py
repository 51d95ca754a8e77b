"""Respondents: synthetic models with a known behaviour, and the loopback server that speaks for them."""

from typing import TYPE_CHECKING

from marketsim.core.lazy import lazy_exports

if TYPE_CHECKING:
    from marketsim.llm.respondents.faults import Fault as Fault
    from marketsim.llm.respondents.faults import FaultPlan as FaultPlan
    from marketsim.llm.respondents.registry import RESPONDENTS as RESPONDENTS
    from marketsim.llm.respondents.registry import respondent_for as respondent_for
    from marketsim.llm.respondents.respondent import Asked as Asked
    from marketsim.llm.respondents.respondent import Reply as Reply
    from marketsim.llm.respondents.respondent import Respondent as Respondent
    from marketsim.llm.respondents.respondent import RespondentConfig as RespondentConfig
    from marketsim.llm.respondents.server import RespondentServer as RespondentServer

__getattr__, __dir__, __all__ = lazy_exports(
    __name__,
    {
        ".faults": ["Fault", "FaultPlan"],
        ".registry": ["RESPONDENTS", "respondent_for"],
        ".respondent": ["Asked", "Reply", "Respondent", "RespondentConfig"],
        ".server": ["RespondentServer"],
    },
)
