"""Language models as decision makers: client, sampling regimes, record and replay, respondents."""

from typing import TYPE_CHECKING

from marketsim.core.lazy import lazy_exports

if TYPE_CHECKING:
    from marketsim.llm.budget import Caps as Caps
    from marketsim.llm.budget import Prices as Prices
    from marketsim.llm.client import Access as Access
    from marketsim.llm.client import ChatClient as ChatClient
    from marketsim.llm.client import Shared as Shared
    from marketsim.llm.record import RecordStore as RecordStore
    from marketsim.llm.request import ChatRequest as ChatRequest
    from marketsim.llm.request import Draw as Draw
    from marketsim.llm.request import draw_index as draw_index
    from marketsim.llm.respondents.server import RespondentServer as RespondentServer
    from marketsim.llm.response import Response as Response
    from marketsim.llm.transport import Patience as Patience

__getattr__, __dir__, __all__ = lazy_exports(
    __name__,
    {
        ".budget": ["Caps", "Prices"],
        ".client": ["Access", "ChatClient", "Shared"],
        ".record": ["RecordStore"],
        ".request": ["ChatRequest", "Draw", "draw_index"],
        ".respondents.server": ["RespondentServer"],
        ".response": ["Response"],
        ".transport": ["Patience"],
    },
)
