"""LOBSTER files (lobsterdata.com): reading, checking and writing them, and the book that they describe."""

from typing import TYPE_CHECKING

from marketsim.core.lazy import lazy_exports

if TYPE_CHECKING:
    from marketsim.exchange.lobster.checks import check_same_rows as check_same_rows
    from marketsim.exchange.lobster.export import export_lobster as export_lobster
    from marketsim.exchange.lobster.files import read_book as read_book
    from marketsim.exchange.lobster.files import read_messages as read_messages
    from marketsim.exchange.lobster.files import write_book as write_book
    from marketsim.exchange.lobster.files import write_messages as write_messages
    from marketsim.exchange.lobster.layout import LobsterBook as LobsterBook
    from marketsim.exchange.lobster.layout import LobsterMessages as LobsterMessages
    from marketsim.exchange.lobster.layout import LobsterType as LobsterType
    from marketsim.exchange.lobster.one_step import one_step_agreement as one_step_agreement
    from marketsim.exchange.lobster.reconstruction import Reconstruction as Reconstruction

__getattr__, __dir__, __all__ = lazy_exports(
    __name__,
    {
        ".checks": ["check_same_rows"],
        ".export": ["export_lobster"],
        ".files": ["read_book", "read_messages", "write_book", "write_messages"],
        ".layout": ["LobsterBook", "LobsterMessages", "LobsterType"],
        ".one_step": ["one_step_agreement"],
        ".reconstruction": ["Reconstruction"],
    },
)
