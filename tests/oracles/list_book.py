"""An order book that is one flat list, scanned from end to end for everything: slow, and too simple to be wrong.

It knows every feature of the engine's book and writes the same log, row for row, as tuples
``(kind, order_id, other_id, side, price, size, left, owner, other_owner)``. It imports nothing from the engine.
"""

from dataclasses import dataclass

ADD, CANCEL, REDUCE, REPLACE, CANCEL_ALL, CANCEL_OWN = range(6)
IOC, FOK, POST_ONLY, MARKET, CANCEL_RESTING, CANCEL_INCOMING, DECREMENT = (1 << bit for bit in range(7))
PREVENTION = CANCEL_RESTING | CANCEL_INCOMING | DECREMENT
IMMEDIATE = IOC | FOK | MARKET
ACCEPTED, CANCELLED, TRADE, REDUCED, REPLACED, EXPIRED, REJECTED = range(1, 8)
UNKNOWN_ORDER, INVALID_SIZE, PRICE_RANGE, POST_ONLY_TAKES, NOT_FILLABLE = range(1, 6)
DUPLICATE_ID, INVALID_ID, INVALID_OWNER, INVALID_MESSAGE = range(6, 10)
UNKNOWN, FILLED, DEAD_CANCELLED, DEAD_EXPIRED, DEAD_REJECTED, _, RESTING = range(7)

LARGEST_SIZE, LARGEST_PRICE, OWNERS = 1 << 40, 1 << 48, 1 << 24


@dataclass
class Order:
    order_id: int
    side: int
    price: int
    size: int
    owner: int


class ListBook:
    def __init__(self):
        self.resting = []  # orders in the order in which they came to rest
        self.next_number = 1
        self.statuses = {}

    # ---- Looking ----------------------------------------------------------------------------------------------

    def find(self, order_id):
        return next((order for order in self.resting if order.order_id == order_id), None)

    def own(self, owner):
        return [order.order_id for order in self.resting if order.owner == owner]

    def queue(self, side):
        """Orders of one side by priority; sorting is stable, so those of one price stay as they came."""
        return sorted((order for order in self.resting if order.side == side), key=lambda order: -side * order.price)

    def levels(self, side):
        prices = list(dict.fromkeys(order.price for order in self.queue(side)))
        at = {
            price: [order for order in self.resting if (order.side, order.price) == (side, price)] for price in prices
        }
        return [(price, sum(order.size for order in at[price]), len(at[price])) for price in prices]

    def status(self, order_id):
        return RESTING if self.find(order_id) else self.statuses.get(order_id, UNKNOWN)

    # ---- Messages ---------------------------------------------------------------------------------------------

    def apply(self, kind, order_id, side, price, size, flags, owner):
        """Return the rows that a message writes."""
        rows = []
        if kind == ADD:
            self.add(rows, order_id, side, price, size, flags, owner)
        elif kind == CANCEL_ALL:
            self.cancel_all(rows, owner)
        else:
            self.change(rows, kind, order_id, side, price, size, flags, owner)
        return rows

    def add(self, rows, order_id, side, price, size, flags, owner):
        number = self.next_number
        while self.find(number):
            number += 1
        if flags & MARKET:
            price = 0
        if order_id in (0, number):
            order_id, self.next_number = number, number + 1
        elif order_id < 0:
            return rows.append((REJECTED, order_id, INVALID_ID, side, price, size, 0, owner, 0))
        elif self.find(order_id):
            return rows.append((REJECTED, order_id, DUPLICATE_ID, side, price, size, 0, owner, 0))
        reason = INVALID_MESSAGE if side not in (1, -1) else self.refusal(ADD, side, price, size, flags, owner)
        if reason:
            self.statuses[order_id] = DEAD_REJECTED
            return rows.append((REJECTED, order_id, reason, side, price, size, 0, owner, 0))
        left = self.match(rows, Order(order_id, side, price, size, owner), flags)
        rows.append((ACCEPTED, order_id, 0, side, price, size, left, owner, 0))

    def change(self, rows, kind, order_id, side, price, size, flags, owner):
        """CANCEL, REDUCE, REPLACE, CANCEL_OWN, or nonsense."""
        if kind == CANCEL_OWN:
            own = self.own(owner) if 0 < owner < OWNERS else []
            order_id = own[order_id] if 0 <= order_id < len(own) else 0
        order = self.find(order_id)
        known = kind in (CANCEL, REDUCE, REPLACE, CANCEL_OWN)
        if not known or order is None or owner not in (0, order.owner):
            reason = UNKNOWN_ORDER if known else INVALID_MESSAGE
            rows.append((REJECTED, order_id, reason, side, price, size, 0, owner, 0))
        elif kind in (CANCEL, CANCEL_OWN) or (kind == REDUCE and size >= order.size):
            self.cancel(rows, order)
        elif kind == REDUCE:
            self.reduce(rows, order, size)
        else:
            self.replace(rows, order, price, size, flags)

    def cancel(self, rows, order):
        self.remove(order, DEAD_CANCELLED)
        rows.append((CANCELLED, order.order_id, 0, order.side, order.price, order.size, 0, order.owner, 0))

    def cancel_all(self, rows, owner):
        if not 0 < owner < OWNERS:
            rows.append((REJECTED, 0, INVALID_OWNER, 0, 0, 0, 0, owner, 0))
        else:
            for order_id in self.own(owner):
                self.cancel(rows, self.find(order_id))

    def reduce(self, rows, order, size):
        name = order.order_id, order.side, order.price, order.owner
        if size <= 0:
            rows.append((REJECTED, name[0], INVALID_SIZE, name[1], name[2], size, order.size, name[3], 0))
        else:
            order.size -= size
            rows.append((REDUCED, name[0], 0, name[1], name[2], size, order.size, name[3], 0))

    def replace(self, rows, order, price, size, flags):
        reason = self.refusal(REPLACE, order.side, price, size, flags, order.owner)
        if reason:
            rows.append((REJECTED, order.order_id, reason, order.side, price, size, order.size, order.owner, 0))
            return
        if price == order.price and size <= order.size:
            order.size = left = size
        else:
            self.remove(order, DEAD_CANCELLED)
            left = self.match(rows, Order(order.order_id, order.side, price, size, order.owner), flags)
        rows.append((REPLACED, order.order_id, 0, order.side, price, size, left, order.owner, 0))

    # ---- What they share --------------------------------------------------------------------------------------

    def remove(self, order, status):
        self.resting = [other for other in self.resting if other is not order]
        self.statuses[order.order_id] = status

    def counterparts(self, side, price, flags):
        """Orders of the other side that an order reaches, by priority."""
        return [other for other in self.queue(-side) if flags & MARKET or side * other.price <= side * price]

    def refusal(self, kind, side, price, size, flags, owner):
        allowed = IMMEDIATE | POST_ONLY | PREVENTION if kind == ADD else POST_ONLY | PREVENTION
        mixes = flags & POST_ONLY and flags & IMMEDIATE
        if flags & ~allowed or mixes or (flags & DECREMENT and flags & PREVENTION != DECREMENT):
            return INVALID_MESSAGE
        if not 0 <= owner < OWNERS:
            return INVALID_OWNER
        if not 0 < size <= LARGEST_SIZE:
            return INVALID_SIZE
        if abs(price) > LARGEST_PRICE:
            return PRICE_RANGE
        if flags & FOK and not self.fills_whole(side, price, size, flags, owner):
            return NOT_FILLABLE
        if flags & POST_ONLY and self.counterparts(side, price, flags):
            return POST_ONLY_TAKES
        return 0

    def fills_whole(self, side, price, size, flags, owner):
        for other in self.counterparts(side, price, flags):
            if size <= 0:
                break
            if owner and flags & PREVENTION and other.owner == owner:
                if flags & PREVENTION != CANCEL_RESTING:
                    return False
            else:
                size -= other.size
        return size <= 0

    def match(self, rows, order, flags):
        """Trade an order as far as it goes and rest what is left, or let it expire; return the lots that rest."""
        status = FILLED
        for other in self.counterparts(order.side, order.price, flags):
            if order.size == 0:
                break
            if order.owner and flags & PREVENTION and other.owner == order.owner:
                self.prevent(rows, order, other, flags)
                status = DEAD_CANCELLED if order.size == 0 else FILLED
                continue
            lots = min(order.size, other.size)
            order.size -= lots
            other.size -= lots
            names = order.order_id, other.order_id, order.side, other.price
            rows.append((TRADE, *names, lots, other.size, order.owner, other.owner))
            if other.size == 0:
                self.remove(other, FILLED)
        if order.size and flags & IMMEDIATE:
            rows.append((EXPIRED, order.order_id, 0, order.side, order.price, order.size, 0, order.owner, 0))
            order.size, status = 0, DEAD_EXPIRED
        if order.size:
            self.resting.append(order)
        else:
            self.statuses[order.order_id] = status
        return order.size

    def prevent(self, rows, order, other, flags):
        """Two orders of one owner meet, and may not trade."""
        lots = min(order.size, other.size)
        taken = {DECREMENT: lots}.get(flags & PREVENTION, order.size if flags & CANCEL_INCOMING else 0)
        given = {DECREMENT: lots}.get(flags & PREVENTION, other.size if flags & CANCEL_RESTING else 0)
        for one, its, meets in ((order, taken, other), (other, given, order)):
            if its:
                one.size -= its
                kind = REDUCED if one.size else CANCELLED
                rows.append(
                    (kind, one.order_id, meets.order_id, one.side, other.price, its, one.size, one.owner, one.owner)
                )
        if other.size == 0:
            self.remove(other, DEAD_CANCELLED)
