"""Every integer code of the exchange's kernels, and the public enumerations made of them.

Kernels use the plain constants; Python code uses the enumerations, whose members are the same integers.
"""

from enum import IntEnum, IntFlag

# ---- Messages: rows of a batch, int64[N_MESSAGE_FIELDS, messages] ------------------------------------------
M_KIND, M_ORDER, M_SIDE, M_PRICE, M_SIZE, M_FLAGS, M_OWNER = range(7)
N_MESSAGE_FIELDS = 7

ADD, CANCEL, REDUCE, REPLACE, CANCEL_ALL, CANCEL_OWN = range(6)

# Flags of an order, to be added up.
IOC, FOK, POST_ONLY, MARKET = 1, 2, 4, 8
STP_CANCEL_RESTING, STP_CANCEL_INCOMING, STP_DECREMENT = 16, 32, 64
STP_MASK = STP_CANCEL_RESTING | STP_CANCEL_INCOMING | STP_DECREMENT

# ---- Event log: int64[N_LOG_COLUMNS, rows] -----------------------------------------------------------------
(
    LOG_MESSAGE,
    LOG_KIND,
    LOG_ORDER,
    LOG_OTHER,
    LOG_SIDE,
    LOG_PRICE,
    LOG_SIZE,
    LOG_LEFT,
    LOG_OWNER,
    LOG_OTHER_OWNER,
) = range(10)
N_LOG_COLUMNS = 10

ACCEPTED, CANCELLED, TRADE, REDUCED, REPLACED, EXPIRED, REJECTED = range(1, 8)

(
    REJECT_UNKNOWN_ORDER,
    REJECT_INVALID_SIZE,
    REJECT_PRICE_RANGE,
    REJECT_POST_ONLY,
    REJECT_FOK,
    REJECT_DUPLICATE_ID,
    REJECT_INVALID_ID,
    REJECT_INVALID_OWNER,
    REJECT_INVALID_MESSAGE,
) = range(1, 10)

# ---- Status of an order. In the dense index of ids a value from FIRST_SLOT on is a slot of the order pool ----
STATUS_UNKNOWN, STATUS_FILLED, STATUS_CANCELLED, STATUS_EXPIRED, STATUS_REJECTED, STATUS_CLOSED, STATUS_RESTING = range(
    7
)
FIRST_SLOT = 8

# ---- Why a kernel stopped before its end -------------------------------------------------------------------
STOP_NONE, STOP_LOG_FULL, STOP_ORDERS_FULL, STOP_IDS_FULL, STOP_OWNERS_FULL, STOP_REBASE = range(6)


class Side(IntEnum):
    """Side of an order."""

    BUY = 1
    SELL = -1


class MessageKind(IntEnum):
    """What a message asks for."""

    ADD = ADD
    CANCEL = CANCEL
    REDUCE = REDUCE
    REPLACE = REPLACE
    CANCEL_ALL = CANCEL_ALL
    """Cancel every resting order of the message's owner."""
    CANCEL_OWN = CANCEL_OWN
    """Cancel the k-th oldest resting order of the message's owner; k, from 0, stands in ``order_id``."""


class OrderFlag(IntFlag):
    """Instructions of an order. No flag: a limit order, good till cancelled."""

    IOC = IOC
    """Immediate or cancel: what does not trade at once expires."""
    FOK = FOK
    """Fill or kill: trades whole at once or is rejected."""
    POST_ONLY = POST_ONLY
    """Rejected where it would take."""
    MARKET = MARKET
    """Trades at any price; what finds no counterpart expires."""
    STP_CANCEL_RESTING = STP_CANCEL_RESTING
    STP_CANCEL_INCOMING = STP_CANCEL_INCOMING
    STP_DECREMENT = STP_DECREMENT


class TimeInForce(IntEnum):
    """How long an order stands."""

    GTC = 0
    """Good till cancelled."""
    IOC = IOC
    FOK = FOK


class SelfTradePrevention(IntEnum):
    """What happens instead of a trade between two orders of one owner."""

    NONE = 0
    CANCEL_RESTING = STP_CANCEL_RESTING
    CANCEL_INCOMING = STP_CANCEL_INCOMING
    CANCEL_BOTH = STP_CANCEL_RESTING | STP_CANCEL_INCOMING
    DECREMENT = STP_DECREMENT
    """Both lose the lots that would have traded."""


class EventKind(IntEnum):
    """What an event of the log says."""

    ACCEPTED = ACCEPTED
    CANCELLED = CANCELLED
    TRADE = TRADE
    REDUCED = REDUCED
    REPLACED = REPLACED
    EXPIRED = EXPIRED
    REJECTED = REJECTED


class RejectReason(IntEnum):
    """Why a message was rejected."""

    NONE = 0
    UNKNOWN_ORDER = REJECT_UNKNOWN_ORDER
    INVALID_SIZE = REJECT_INVALID_SIZE
    PRICE_RANGE = REJECT_PRICE_RANGE
    """The price lies beyond 2**48 ticks, on either side of 0."""
    POST_ONLY = REJECT_POST_ONLY
    FOK = REJECT_FOK
    DUPLICATE_ID = REJECT_DUPLICATE_ID
    INVALID_ID = REJECT_INVALID_ID
    INVALID_OWNER = REJECT_INVALID_OWNER
    INVALID_MESSAGE = REJECT_INVALID_MESSAGE


class OrderStatus(IntEnum):
    """Where an order is in its life."""

    UNKNOWN = STATUS_UNKNOWN
    """No order had this id."""
    FILLED = STATUS_FILLED
    CANCELLED = STATUS_CANCELLED
    EXPIRED = STATUS_EXPIRED
    REJECTED = STATUS_REJECTED
    CLOSED = STATUS_CLOSED
    """Ended so long ago that the index no longer says how."""
    RESTING = STATUS_RESTING
