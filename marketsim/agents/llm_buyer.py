"""``LlmBuyer``: a language model that shops. It sees pages of the shop, and buys or leaves within so many steps."""

from __future__ import annotations

import re
from typing import Any, ClassVar, cast

from marketsim.agents.agent import Agent, Seat
from marketsim.agents.config import AgentConfig
from marketsim.agents.llm_agent import Mind
from marketsim.agents.llm_config import LlmBuyerConfig
from marketsim.core.venue import Notice
from marketsim.llm.prompts import untrusted_json
from marketsim.llm.question import ANSWER, Option
from marketsim.llm.sampler import Decision
from marketsim.storefront.commands import LEAVE, BuyCommand, VisitCommand
from marketsim.storefront.engine import Storefront
from marketsim.storefront.page import Page, Viewable

STOREFRONT = "storefront"
NO_SLOT = LEAVE - 1
"""Slot of an answer that cannot be used: the shop books it as invalid, not as a decision to leave."""


class LlmBuyer(Agent):
    """Visits one category after another, a visit each ``period``, and asks a model at each step of a visit.

    With ``browse`` it may open offers and turn pages before it buys or leaves. An answer that cannot be used ends the
    visit as invalid; one that neither buys nor leaves at the last step ends it as left, counted in ``out_of_steps``.
    """

    Config: ClassVar[type[AgentConfig]] = LlmBuyerConfig

    def __init__(self, model: Any, seat: Seat) -> None:
        super().__init__(model, seat)
        self.mind = Mind(self)
        self.out_of_steps = 0
        """Visits that ended because there were no steps left."""
        self.visits_skipped = 0
        """Visits that fell into an earlier one."""
        self._visits = 0
        self._visit: dict[str, Any] | None = None

    @classmethod
    def provenance_of(cls, config: Any, model: Any) -> str:
        """Return where decisions come from."""
        provenance: str = model.llm.provenance(model.llm.settings(config))
        return provenance

    @property
    def decides_at_once(self) -> bool:
        """Whether answers come from a record alone."""
        return self.mind.is_replayed

    def on_start(self) -> None:
        """Come at a random time within one period."""
        self.wake_in(int(self.rng().integers(self.config.period)))

    def on_wake(self, payload: Any) -> None:
        """Begin a visit."""
        if self._visit is not None:
            self.visits_skipped += 1
        else:
            self._visit = {"category": self._category(), "step": 0, "part": 0, "opened": ""}
            self.submit(VisitCommand(self.accounts[STOREFRONT], self._visit["category"]), STOREFRONT)
        self._visits += 1
        if not self.config.visits or self._visits < self.config.visits:
            self.wake_in(self.config.period)

    def on_notice(self, notice: Notice) -> None:
        """Look at the page, or note how the visit ended."""
        if self._visit is None:
            return
        if notice.topic == "page":
            self._visit["choice_set"] = notice.data["choice_set"]
            self._ask()
        elif notice.topic in ("bought", "left", "invalid"):
            price = notice.data.get("price_minor")
            bought = self._visit["title"] if price is not None else None
            price_text = None if price is None else price / 100
            category = self._shop.categories[self._visit["category"]]
            self.mind.remember({"category": category, "bought": bought, "price": price_text})
            self._visit = None

    # ---- Deciding --------------------------------------------------------------------------------------------

    def _ask(self) -> None:
        assert self._visit is not None
        page = self._page()
        seen = {
            "category": self._shop.categories[self._visit["category"]],
            "page": view_text(page, self.config.view),
            "product": "",
            "ids": [offer.opaque_id for offer in page.offers],
            "turns": self._turns(),
            "steps_left": self._steps_left,
            "memory": self.mind.memory,
        }
        if self._visit["opened"]:
            whole = self._shop.page_shown(self._visit["choice_set"])
            seen["product"] = view_text(whole.detail(self._visit["opened"]), self.config.view)
        self.mind.ask(seen)

    async def decide(self, question: Any) -> tuple[Decision, dict[str, Any]]:
        """Ask the model."""
        seen, config = question["seen"], self.config
        names = [f"buy {name}" for name in seen["ids"]]
        if config.browse and seen["steps_left"] > 1:
            names += [f"open {name}" for name in seen["ids"]] + seen["turns"]
        if config.may_leave:
            names.append("leave")
        fields = {
            "persona": config.persona,
            "category": seen["category"],
            "page": seen["page"],
            "product": seen["product"],
            "browse": config.browse,
            "steps_left": seen["steps_left"],
            "memory": untrusted_json(seen["memory"]) if seen["memory"] else "",
        }
        hold = "leave" if config.may_leave else ""
        return await self.mind.decide(question, fields, [Option(name) for name in names], None, hold)

    def on_decision(self, answer: Any) -> None:
        """Buy, leave, or look on."""
        value = self.mind.take(answer)
        visit = self._visit
        assert visit is not None
        action, _, name = (value[ANSWER] if value is not None else "").partition(" ")
        visit["step"] += 1
        if action == "buy":
            offer = self._shop.page_shown(visit["choice_set"]).offer(name)
            visit["title"] = offer.title
            self._end(offer.slot)
        elif action in ("leave", ""):
            self._end(LEAVE if action else NO_SLOT)
        elif self._steps_left < 1:
            self.out_of_steps += 1
            self._end(LEAVE)
        else:
            visit["opened"] = name if action == "open" else ""
            visit["part"] += {"next": 1, "previous": -1}.get(action, 0)
            self._ask()

    def _end(self, slot: int) -> None:
        assert self._visit is not None
        self.submit(BuyCommand(self.accounts[STOREFRONT], self._visit["choice_set"], slot), STOREFRONT)

    # ---- What it sees ----------------------------------------------------------------------------------------

    @property
    def _shop(self) -> Storefront:
        return cast(Storefront, self.host.venue(STOREFRONT))

    @property
    def _steps_left(self) -> int:
        assert self._visit is not None
        return int((self.config.steps if self.config.browse else 1) - self._visit["step"])

    def _category(self) -> int:
        """Return the category of the next visit: one after another, each agent beginning with another one."""
        every = self._shop.categories
        unknown = [name for name in self.config.categories if name not in every]
        if unknown:
            raise ValueError(f"categories: expected some of {', '.join(every)}; found {unknown[0]}")
        wanted = [every.index(name) for name in self.config.categories] or list(range(len(every)))
        return wanted[(self.index + self._visits) % len(wanted)]

    def _page(self) -> Page:
        assert self._visit is not None
        page = self._shop.page_shown(self._visit["choice_set"])
        return page if page.held == page.number else page.part(page.number + self._visit["part"])

    def _turns(self) -> list[str]:
        assert self._visit is not None
        page = self._shop.page_shown(self._visit["choice_set"])
        number = page.number + self._visit["part"]
        return ["next page"] * (number < page.held) + ["previous page"] * (number > page.number)

    # ---- State -----------------------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Return what it remembers."""
        return {
            "mind": self.mind.state(),
            "out_of_steps": self.out_of_steps,
            "visits_skipped": self.visits_skipped,
            "visits": self._visits,
            "visit": self._visit,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to a state."""
        self.mind.restore(state["mind"])
        self.out_of_steps, self.visits_skipped = state["out_of_steps"], state["visits_skipped"]
        self._visits, self._visit = state["visits"], state["visit"]


def view_text(view: Viewable, kind: str) -> str:
    """Return a page or a product as a prompt shows it.

    Of HTML it is the ``main`` element, its pictures by their descriptions only. No text of a seller can end the block
    that the view stands in.
    """
    if kind == "json":
        text = view.to_json()
    elif kind == "markdown":
        text = view.to_markdown()
    elif kind == "text":
        text = view.to_text()
    else:
        whole = view.to_html()
        main = re.search(r"<main.*?</main>", whole, re.DOTALL)
        text = re.sub(r'src="data:[^"]*"', 'src=""', main[0] if main else whole)
    return re.sub(r"</(?=page>|product>)", r"<\\/", text.strip(), flags=re.IGNORECASE)
