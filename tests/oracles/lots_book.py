"""Oracle of the order model's book: lots by price in two dictionaries. It refuses what no venue would carry out."""

import numpy as np


class LotsBook:
    """Kinds: limit, market, cancel, each for buyers and sellers; ``behind`` counts ticks from the own best price."""

    def __init__(self, depth, quote, reach=64, limit_reach=24, inside=16):
        self.reach, self.limit_reach, self.inside = reach, limit_reach, inside
        self.best = [int(quote[0]), int(quote[1])]
        prices = [[self.best[side] - (1 - 2 * side) * i for i in range(reach)] for side in (0, 1)]
        ring = depth.shape[1]
        self.lots = [{p: int(depth[side, p % ring]) for p in prices[side] if depth[side, p % ring]} for side in (0, 1)]

    def play(self, kind, behind, lots):
        side, sign = kind % 2, 1 - 2 * (kind % 2)
        own, other = self.lots[side], self.lots[1 - side]
        if kind < 2:
            at = self.best[side] - sign * behind
            distance, spread = sign * (self.best[1 - side] - at), self.best[1] - self.best[0]
            assert max(1, spread - self.inside) <= distance
            if self.limit_reach:
                assert distance <= max(self.limit_reach, spread - self.inside)
            own[at] = own.get(at, 0) + lots
            best = max(own, key=lambda p: sign * p)
            self.lots[side] = {p: n for p, n in own.items() if sign * (best - p) < self.reach}
        elif kind < 4:
            assert behind == 0
            assert lots <= sum(other.values())
            while lots:
                at = min(other, key=lambda p: sign * p)
                lots, other[at] = lots - min(lots, other[at]), other[at] - min(lots, other[at])
                if not other[at]:
                    del other[at]
                    self.best[1 - side] = min(other, key=lambda p: sign * p, default=at)
        else:
            at = self.best[side] - sign * behind
            assert own[at] >= lots
            own[at] -= lots
            if not own[at]:
                del own[at]
        for s in (0, 1):
            if self.lots[s]:
                self.best[s] = max(self.lots[s], key=lambda p: (1 - 2 * s) * p)

    def features(self):
        rows = [[self.lots[s].get(self.best[s] - (1 - 2 * s) * i, 0) for i in range(10)] for s in (0, 1)]
        total = [sum(self.lots[s].values()) for s in (0, 1)]
        bid, ask = rows[0][0], rows[1][0]
        lots = [*rows[0], *rows[1], self.best[1] - self.best[0], 0, *total, *(total[s] - sum(rows[s]) for s in (0, 1))]
        expected = np.append(np.log1p(lots), [not total[0], not total[1]])
        expected[21] = (bid - ask) / max(bid + ask, 1)
        return expected.astype(np.float32)
