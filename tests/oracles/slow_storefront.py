"""A shop too simple to be wrong: one visit at a time, lists and dictionaries, from the same addressed draws.

It shares with the engine only ``core.rng``, the address book of random numbers. It knows the law of "What Is Your AI
Agent Buying?" (arXiv 2508.02630), logits, attention and rankings from their texts. A configuration is a plain
dictionary with every default written out; products are dictionaries in the order of the catalogue.
"""

import math
from statistics import NormalDist

from marketsim.core import rng

CATEGORY_ENTITY = 1 << 40
HOUR = 3_600 * 10**9
TAGS = ("sponsored", "overall_pick", "scarcity")
INTRINSIC = ("ln_price", "price", "ln_reviews", "rating", "quality", "need")
FEATURES = (*INTRINSIC, "sponsored", "overall_pick", "best_seller", "limited_time", "discounted", "scarcity")
quantile = NormalDist().inv_cdf


def nearest(x):
    return math.floor(x + 0.5)


def one_of(u, n):
    return min(int(u * n), n - 1)


class SlowShop:
    """Carries out every visit until the end; ``impressions`` and ``choices`` are rows as dictionaries."""

    def __init__(self, config, products, seed, duration, start=0):
        self.config, self.products, self.seed, self.duration, self.start = config, products, seed, duration, start
        self.categories = list(dict.fromkeys(product["category"] for product in products))
        self.slots = config["page"]["rows"] * config["page"]["columns"] * config["page"]["pages"]
        self.impressions, self.choices = [], []
        self.sales = [0.0] * len(products)
        self.sold_at = [0] * len(products)
        self.spent = {}

    def words(self, name, purpose, number, entity, block=0):
        key = rng.stream_key(self.seed, 0, "storefront", name, purpose)
        return rng.uniforms(rng.counters(key, number, entity), block)

    # ---- Arrivals

    def run(self):
        first = 1
        coming = []  # [time, sequence, table, first shopper, arrivals]
        for sequence, table in enumerate(self.config["shoppers"]):
            is_poisson = table["arrivals"] != "trials"
            at = int(-math.log(self.words(table["name"], "start", 0, 0)[0]) / self.rate(table)) if is_poisson else 0
            coming.append([at, sequence, table, first, 0])
            first += table["count"]
        sequence = 16
        while coming and min(coming)[0] < self.duration:
            who = min(coming, key=lambda row: row[:2])
            who[1], sequence = sequence, sequence + 1
            self.arrive(who)
            coming = [row for row in coming if row[0] is not None]
        return self

    def rate(self, table):
        profile = table["arrivals"]["profile"] or [1.0] * 24
        return table["arrivals"]["rate"] / HOUR / (sum(weight / max(profile) for weight in profile) / 24)

    def arrive(self, who):
        now, _, table, first, number = who
        who[4] += 1
        gap, thin, where, which = self.words(table["name"], "arrival", number, 0)
        shopper = first + (one_of(which, table["count"]) if table["count"] > 1 else 0)
        if table["arrivals"] == "trials":
            trials = self.config["randomise"]["trials"]
            total = trials * len(self.categories)
            who[0] = now + self.duration // total if number + 1 < total else None
            self.visit(now, table, shopper, first, self.categories[number // trials], number % trials)
            return
        who[0] = now + int(-math.log(gap) / self.rate(table)) + 1
        profile = table["arrivals"]["profile"] or [1.0] * 24
        if thin < profile[(self.start + now) // HOUR % 24] / max(profile):
            self.visit(now, table, shopper, first, self.categories[one_of(where, len(self.categories))], number)

    # ---- The page

    def visit(self, now, table, shopper, first, category, number):
        place = CATEGORY_ENTITY + self.categories.index(category)
        offers = self.page(now, table["name"], category, number, place)
        for slot, offer in enumerate(offers):
            offer["slot"], offer["examined"] = slot, 1
            offer["need"] = self.meets(offer["product"], offer["price"], table)
        mind = self.mind(table, shopper - first)
        slot = self.choose(offers, table, mind, shopper, number, place)
        if slot is not None:
            self.sell(offers[slot], shopper, now)
        self.write(now, table, shopper, category, offers, slot)

    def page(self, now, name, category, number, place):
        regime = self.config["randomise"]["regime"]
        chosen, paid = self.ranked(now, name, category, number)
        if regime == "identical":
            chosen = [chosen[0]] * self.slots
        draws = []
        for row, product in enumerate(chosen):
            entity = product + 1 + ((row + 1) << 32 if regime == "identical" else 0)
            draws.append(self.words(name, "page", number, entity))
        offers = [self.listed(product, product in paid) for product in chosen]
        order = list(range(len(offers)))
        if regime != "fixed":
            order.sort(key=lambda row: draws[row][0])
            for offer in offers:
                offer["place"] = 1 / len(offers)
        self.vary(offers, draws, regime)
        shown = [offers[row] for row in order]
        if regime == "aces":
            self.nested_tags(shown, [u for block in range(3) for u in self.words(name, "page", number, place, block)])
        return shown

    def listed(self, product, is_paid):
        listing, tags = self.products[product], self.config["tags"]
        name = listing["product_id"]
        offer = {"product": product, "price": listing["price"], "rating": listing["rating"]}
        offer |= {"reviews": listing["reviews"], "sponsored": int(is_paid), "left": tags["left"].get(name, 0)}
        offer |= {tag: int(name in tags[tag]) for tag in ("overall_pick", "best_seller", "limited_time")}
        offer |= {"was": round(100 * float(tags["was_price"].get(name, 0)))}
        return offer | {"place": 1.0, "cell": 1.0} | {f"chance_{tag}": 1.0 for tag in TAGS}

    def ranked(self, now, name, category, number):
        """The products of a page in the order of the ranking, and those that paid for their slot."""
        members = [n for n, product in enumerate(self.products) if product["category"] == category]
        members.sort(key=lambda n: self.products[n]["product_id"])
        score = self.scores(now, name, members, number)
        best = sorted(members, key=lambda n: -score[n])
        sold = self.sold_slots(members)
        chosen = [None] * min(self.slots, len(members))
        for slot, product in sold.items():
            if slot < len(chosen):
                chosen[slot] = product
        organic = iter([product for product in best if product not in chosen])
        paid = {product for product in chosen if product is not None}
        return [next(organic) if product is None else product for product in chosen], paid

    def sold_slots(self, members):
        sponsored = self.config["sponsored"]
        if self.config["randomise"]["regime"] not in ("fixed", "permutation"):
            return {}
        ids = {self.products[n]["product_id"]: n for n in members}
        named = [ids[name] for name in sponsored["products"] if name in ids]
        rest = [n for n in members if n not in named]
        rest.sort(key=lambda n: self.products[n]["cost"] - self.products[n]["price"])
        return dict(zip([slot - 1 for slot in sponsored["slots"]], named + rest, strict=False))

    def scores(self, now, name, members, number):
        ranking = self.config["ranking"]
        if ranking["policy"] == "fixed":
            place = {product: n for n, product in enumerate(ranking["order"])}
            last = len(place)
            size = len(self.products)
            return {n: -(place.get(self.products[n]["product_id"], last) * size + n) for n in members}
        single = {"random": "exploration"}.get(ranking["policy"], ranking["policy"])
        weight = ranking["weights"] if single == "weighted" else {single: 1.0}
        dearest = max(self.products[n]["price"] for n in members)
        recent = {n: self.velocity(n, now) for n in members}
        paid = set(self.sold_slots(members).values())
        most = max((recent[n] for n in members if n not in paid), default=0.0)
        prior = ranking["prior_reviews"]
        reviews = sum(product["reviews"] for product in self.products)
        mean = sum(product["reviews"] * product["rating"] / 10 for product in self.products) / reviews
        total = {}
        for n in members:
            product = self.products[n]
            bayes = (prior * mean + product["reviews"] * product["rating"] / 10) / (prior + product["reviews"])
            parts = {"rating": bayes / 5, "price": 1 - product["price"] / dearest}
            parts["margin"] = (product["price"] - product["cost"]) / product["price"]
            parts["velocity"] = recent[n] / most if most > 0 else 0.0
            parts["exploration"] = self.words(name, "page", number, n + 1, 1)[0]
            total[n] = sum(weight.get(part, 0.0) * value for part, value in parts.items())
        return total

    def velocity(self, product, now):
        return self.sales[product] * 0.5 ** ((now - self.sold_at[product]) / self.config["ranking"]["half_life"])

    def vary(self, offers, draws, regime):
        law = self.config["randomise"]
        for row, (offer, (place, price, rating, reviews)) in enumerate(zip(offers, draws, strict=True)):
            if regime == "aces":
                offer["price"] = max(nearest(offer["price"] * math.exp(law["price_deviation"] * quantile(price))), 1)
                stars = offer["rating"] / 10
                offer["rating"] = nearest(10 * (stars + law["a"] * (2 * rating - 1) * (5 - stars)))
                offer["reviews"] = nearest(offer["reviews"] * math.exp(law["review_deviation"] * quantile(reviews)))
                offer |= {"sponsored": 0, "overall_pick": 0, "left": 0}
            elif regime == "factorial":
                levels = law["levels"]
                price, rating, reviews = (
                    levels[name][one_of(u, len(levels[name]))]
                    for name, u in (("price", price), ("rating", rating), ("reviews", reviews))
                )
                offer["price"] = max(nearest(offer["price"] * price), 1)
                offer["rating"] += nearest(10 * rating)
                offer["reviews"] = nearest(offer["reviews"] * reviews)
                offer["cell"] = 1 / (len(levels["price"]) * len(levels["rating"]) * len(levels["reviews"]))
                bits = int(place * 2**32)
                for number, (tag, key) in enumerate(zip(TAGS, ("sponsored", "overall_pick", "left"), strict=True)):
                    has = tag in levels["tags"]
                    offer[key] = (bits >> number & 1) * (5 if key == "left" else 1) if has else 0
                    offer[f"chance_{tag}"] = 0.5 if has else 1.0
            elif regime == "identical":
                self.copy(offer, law["identical"], price, rating, is_better=row == 0)
            offer["rating"] = min(max(offer["rating"], 10), 50)

    def copy(self, offer, law, price, rating, is_better):
        if law["price_deviation"]:
            offer["price"] = max(nearest(offer["price"] * math.exp(law["price_deviation"] * quantile(price))), 1)
        if law["rating_deviation"]:
            offer["rating"] += nearest(10 * law["rating_deviation"] * quantile(rating))
        gain, cut = (
            round(10 * law["rating_gain"]),
            float(law["price_cut_money"]) * 100 + law["price_cut"] * offer["price"],
        )
        offer["rating"] = min(offer["rating"], 50 - gain) + (gain if is_better else 0)
        if is_better and cut:
            offer["price"] = max(offer["price"] - max(nearest(cut), 1), 1)

    def nested_tags(self, offers, draws):
        """Sponsored tags, then an overall pick, then a scarcity tag, each among the offers without a tag."""
        law, most = self.config["randomise"], self.config["randomise"]["sponsored_most"]

        def free():
            return [offer for offer in offers if not (offer["sponsored"] or offer["overall_pick"] or offer["left"])]

        steps = (
            ("sponsored", "sponsored", draws[0], draws[2 : 3 + one_of(draws[1], most)], 1),
            ("overall_pick", "overall_pick", draws[6], draws[7:8], 1),
            ("scarcity", "left", draws[8], draws[9:10], 1 + one_of(draws[10], 5)),
        )
        for tag, key, coin, picks, value in steps:
            could, mean = free(), (1 + most) / 2 if tag == "sponsored" else 1.0
            share = law[f"{tag}_chance"] * mean / len(could)
            if coin < law[f"{tag}_chance"]:
                for u in picks:
                    rest = free()
                    rest[one_of(u, len(rest))][key] = value
            for offer in could:
                offer[f"chance_{tag}"] = share if offer[key] else 1 - share

    # ---- The shopper

    def meets(self, product, price, table):
        if not table["needs"] and table["need_price"] is None:
            return 0
        has = all(self.products[product]["attributes"].get(key) == value for key, value in table["needs"].items())
        return int(has and (table["need_price"] is None or price <= 100 * float(table["need_price"])))

    def mind(self, table, member):
        """Coefficients of a shopper, from its class and its own deviations."""
        classes = table["classes"] or [{"share": 1.0, "choice": table["choice"], "deviations": table["deviations"]}]
        first, running = self.words(table["name"], "taste", member, 0)[0], 0.0
        mine = classes[-1]
        for one in classes[:-1]:
            running += one["share"]
            if first < running:
                mine = one
                break
        taste = dict(mine["choice"])
        normals = [quantile(u) for block in (1, 2, 3) for u in self.words(table["name"], "taste", member, 0, block)]
        for name, z in zip(FEATURES, normals, strict=True):
            taste[name] += mine["deviations"][name] * z
        return taste

    def features(self, offer):
        price = offer["price"] / 100
        values = {"ln_price": math.log(price), "price": price, "ln_reviews": math.log(offer["reviews"] + 1)}
        values |= {"rating": offer["rating"] / 10, "quality": self.products[offer["product"]]["quality"]}
        values |= {"discounted": offer["was"] > offer["price"], "scarcity": offer["left"] > 0}
        return values | {name: offer[name] for name in FEATURES if name not in values}

    def utility(self, offer, taste):
        page = self.config["page"]
        on_page = offer["slot"] % (page["rows"] * page["columns"])
        places = {"row": on_page // page["columns"], "column": on_page % page["columns"], "slot": offer["slot"]}
        total = sum(taste[key][n] for key, n in places.items() if n < len(taste[key]))
        return total + sum(taste[name] * value for name, value in self.features(offer).items())

    def considered(self, offers, table, shopper):
        money = min(
            math.inf if table["budget"] is None else 100 * float(table["budget"]),
            math.inf if table["wallet"] is None else 100 * float(table["wallet"]) - self.spent.get(shopper, 0),
        )
        left = [offer for offer in offers if offer["examined"] and offer["price"] <= money]
        rule = table["consideration"]
        if rule is None:
            return left
        sign = {"slot": 1, "price": 1, "rating": -1, "reviews": -1}[rule["by"]]
        return sorted(left, key=lambda offer: (sign * offer[rule["by"]], offer["slot"]))[: rule["size"]]

    def choose(self, offers, table, taste, shopper, number, place):
        attention, outside = table["attention"], taste["outside"]
        blocks = 1 if attention["model"] == "full" else 1 + (len(offers) + 3) // 4
        draws = [u for block in range(blocks) for u in self.words(table["name"], "choice", number, place, block)]
        looks = draws[4:]
        if attention["model"] == "cascade":
            return self.cascade(offers, table, taste, shopper, looks)
        if attention["model"] == "position":
            given = attention["probabilities"]
            for slot, offer in enumerate(offers):
                chance = given[min(slot, len(given) - 1)] if given else (slot + 1) ** -attention["decay"]
                offer["examined"] = int(looks[slot] < chance)
        left = sorted(self.considered(offers, table, shopper), key=lambda offer: offer["slot"])
        if not left:
            return None
        weight = self.weights(left, table, taste)
        total = sum(weight) + (0.0 if outside is None else math.exp(outside))
        running = 0.0
        for offer, share in zip(left, weight, strict=True):
            running += share
            if draws[0] * total < running:
                return offer["slot"]
        return left[-1]["slot"] if outside is None else None

    def weights(self, offers, table, taste):
        value = [self.utility(offer, taste) for offer in offers]
        if table["nests"] is None:
            return [math.exp(v) for v in value]
        by, scale = table["nests"]["by"], table["nests"]["dissimilarity"]
        nest = [self.products[offer["product"]]["attributes"].get(by, "") for offer in offers]
        inside = [math.exp(v / scale) for v in value]
        sums = {name: sum(w for w, other in zip(inside, nest, strict=True) if other == name) for name in nest}
        return [w * sums[name] ** (scale - 1) for w, name in zip(inside, nest, strict=True)]

    def cascade(self, offers, table, taste, shopper, looks):
        could = {offer["slot"] for offer in self.considered(offers, table, shopper)}
        taken, is_on = None, True
        for offer, u in zip(offers, looks, strict=False):
            offer["examined"] = int(is_on)
            if is_on:
                ahead = self.utility(offer, taste) - taste["outside"]
                chance = 1 / (1 + math.exp(-ahead)) if offer["slot"] in could else 0.0
                if u < chance:
                    taken, is_on = offer["slot"], False
                elif u >= chance + (1 - chance) * table["attention"]["persistence"]:
                    is_on = False
        return taken

    def sell(self, offer, shopper, now):
        product = offer["product"]
        self.sales[product], self.sold_at[product] = self.velocity(product, now) + 1, now
        self.spent[shopper] = self.spent.get(shopper, 0) + offer["price"]

    # ---- Rows

    def worth(self, offer, taste):
        return sum(taste[name] * value for name, value in self.features(offer).items() if name in INTRINSIC)

    def principal(self, table):
        classes = table["classes"] or [{"share": 1.0, "choice": table["choice"]}]

        def mean(name):
            return sum(one["share"] * (one["choice"][name] or 0.0) for one in classes)

        own = table["principal"] or {name: mean(name) for name in INTRINSIC}
        outside = mean("outside") if own.get("outside") is None else own["outside"]
        return own, outside, classes[0]["choice"]["outside"] is not None

    def write(self, now, table, shopper, category, offers, slot):
        taste, outside, may_leave = self.principal(table)
        page, number = self.config["page"], len(self.choices)
        per_page = page["rows"] * page["columns"]
        for offer in offers:
            on_page = offer["slot"] % per_page
            row = {"choice_set": number, "time_ns": now, "shopper": shopper, "slot": offer["slot"]}
            row |= {"category": self.categories.index(category), "page": offer["slot"] // per_page + 1}
            row |= {"row": on_page // page["columns"] + 1, "column": on_page % page["columns"] + 1}
            row |= {"product": offer["product"], "price_minor": offer["price"], "was_price_minor": offer["was"]}
            row |= {"rating_tenths": offer["rating"], "reviews": offer["reviews"], "left": offer["left"]}
            row |= {tag: offer[tag] for tag in ("sponsored", "overall_pick", "best_seller", "limited_time")}
            row |= {
                "scarcity": int(offer["left"] > 0),
                "examined": offer["examined"],
                "chosen": int(offer["slot"] == slot),
            }
            row |= {f"propensity_{tag}": offer[f"chance_{tag}"] for tag in TAGS}
            row["propensity"] = offer["place"] * offer["cell"] * math.prod(offer[f"chance_{tag}"] for tag in TAGS)
            self.impressions.append(row)
        values = [self.worth(offer, taste) for offer in offers]
        shown = {offer["product"] for offer in offers}
        unseen = []
        for n, product in enumerate(self.products):
            if product["category"] == category and n not in shown:
                offer = {**self.listed(n, False), "need": self.meets(n, product["price"], table)}
                unseen.append(self.worth(offer, taste))
        leaving = [outside] if may_leave else []
        bought = None if slot is None else offers[slot]
        self.choices.append(
            {
                "choice_set": number,
                "time_ns": now,
                "shopper": shopper,
                "population": self.config["shoppers"].index(table),
                "category": self.categories.index(category),
                "query": -1,
                "outcome": 0 if bought is None else 1,
                "slot": -1 if bought is None else slot,
                "product": -1 if bought is None else bought["product"],
                "price_minor": 0 if bought is None else bought["price"],
                "need_met": 0 if bought is None else bought["need"],
                "need_shown": max(offer["need"] for offer in offers),
                "welfare": outside if bought is None else values[slot],
                "welfare_best_shown": max(values + leaving),
                "welfare_best_listed": max(values + leaving + unseen),
                "welfare_mean_shown": sum(values) / len(values),
            }
        )
