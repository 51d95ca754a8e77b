"""``Agent``: a Mesa agent that hears notices, wakes when it asked to, sends commands and asks questions.

Everything it does happens inside one of its hooks, at one instant of simulated time; between hooks it is at rest, and
``state`` must say all that it remembers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NoReturn, Protocol

import mesa
import numpy as np
from numpy.typing import NDArray

from marketsim.agents.config import AgentConfig
from marketsim.core import rng
from marketsim.core.venue import Command, Notice, Venue

HOOKS = ("on_start", "on_wake", "on_notice", "on_decision")
"""Methods that the time line calls; an entry of its agenda names one of them."""

_SCALARS = (bool, int, float, str, type(None))


@dataclass(frozen=True)
class Seat:
    """Who an agent is in a run."""

    name: str
    """Unique in the run."""
    table: str
    """Name of the scenario table it comes from; addresses its random draws."""
    index: int
    """Its place among the agents of that table, from 0."""
    config: Any
    """Its scenario table, an instance of its class's ``Config``."""
    accounts: Mapping[str, int]
    """Its account number at each venue, by the venue's name."""


class Host(Protocol):
    """What an agent needs of the model it lives in; ``marketsim.simulation.Simulation`` is one."""

    seed: int
    replicate: int

    @property
    def now(self) -> int:
        """Simulated time in ns."""

    def schedule(self, at: int, agent: Agent, hook: str, payload: Any) -> None:
        """Have a hook called at ``at``."""

    def listen(self, agent: Agent, channel: str) -> None:
        """Deliver a channel's notices to the agent from now on."""

    @property
    def llm(self) -> Any:
        """The run's language models, an ``llm.service.LlmService``; None where no agent asks one."""

    def venue(self, name: str) -> Venue:
        """Return a venue; the only one, where the name is empty."""

    def ask(self, agent: Agent, question: Any, latency_ns: int, overlap: str) -> bool:
        """Start a decision."""

    def take_answer(self, agent: Agent) -> Any:
        """Return the answer whose time has come."""

    def forget(self, agent: Agent) -> None:
        """Drop all that is on its way to the agent."""


def require_json(value: Any, what: str) -> None:
    """Refuse what JSON would not give back as it was: a resumed run must see the same.

    Raises
    ------
    TypeError
        There is something else in it than None, bool, int, float, str, list and dict with str keys.
    """
    kind = type(value)
    if kind in _SCALARS:
        return
    if kind is list:
        for item in value:
            require_json(item, what)
    elif kind is dict:
        for key, item in value.items():
            if type(key) is not str:
                raise TypeError(f"{what} must survive JSON: found a key {key!r}, expected a str")
            require_json(item, what)
    else:
        raise TypeError(
            f"{what} must survive JSON: found {value!r}, a {kind.__name__}; "
            "expected None, bool, int, float, str, list or dict"
        )


class Agent(mesa.Agent):  # type: ignore[misc]
    """Base of every agent in Python. Derive from it, or from ``Trader`` for the exchange, and fill in hooks.

    Parameters
    ----------
    model : Simulation
        The Mesa model it lives in.
    seat : Seat
        Who it is. A class with an ``__init__`` of its own takes the same two and passes them on.

    Examples
    --------
    >>> class Metronome(Agent):
    ...     class Config(AgentConfig):
    ...         period: Duration
    ...
    ...     def on_start(self):
    ...         self.wake_in(self.config.period)
    ...
    ...     def on_wake(self, payload):
    ...         self.wake_in(self.config.period)
    ...
    ...     def state(self):
    ...         return {}
    ...
    ...     def restore(self, state):
    ...         pass
    """

    Config: ClassVar[type[AgentConfig]] = AgentConfig
    """Its scenario table: derive a pydantic model from ``AgentConfig`` and add keys."""

    provenance: ClassVar[str] = "rule"
    """Where its decisions come from: ``rule``, ``respondent``, ``recorded`` or ``live``."""

    def __init__(self, model: Any, seat: Seat) -> None:
        super().__init__(model)
        self.host: Host = model
        self.provenance = self.provenance_of(seat.config, model)  # type: ignore[misc]
        self.name, self.table, self.index, self.accounts = seat.name, seat.table, seat.index, seat.accounts
        self.config = seat.config
        self.market_data_latency_ns: int = seat.config.market_data_latency
        self.order_latency_ns: int = seat.config.order_latency
        self.questions_dropped = 0
        """Questions not asked because a decision was in flight."""
        self.questions_too_late = 0
        """Questions not asked because the answer would have come at the end of the run or later."""
        self._activations = 0
        self._generator: np.random.Generator | None = None
        self._key: NDArray[np.uint64] | None = None

    # ---- Hooks, to be filled in ----------------------------------------------------------------------------

    def on_start(self) -> None:
        """Called once, at the simulated time at which the agent enters: the place to listen and to ask for wakes."""

    def on_wake(self, payload: Any) -> None:
        """Called when the time given to ``wake_in`` or ``wake_at`` has come."""

    def on_notice(self, notice: Notice) -> None:
        """Called ``market_data_latency`` after something happened on a channel it listens to, or to its own orders.

        ``notice.data`` is shared with the other listeners: read it, never change it.
        """

    def on_decision(self, answer: Any) -> None:
        """Called at the simulated time at which the answer to a question takes effect."""

    async def decide(self, question: Any) -> Any:
        """Answer a question. Runs in another thread while the market goes on.

        It may use the question, and of the agent only what never changes; so wall-clock time cannot change a result,
        and a resumed run can ask again.
        """
        raise NotImplementedError(f"{type(self).__name__} asks questions but has no decide()")

    def state(self) -> dict[str, Any]:
        """Return all that the agent remembers, as JSON can hold it. A class without it cannot be resumed or forked."""
        raise NotImplementedError(f"{type(self).__name__} has no state()")

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to a state that ``state`` gave; takes the place of ``on_start``."""
        raise NotImplementedError(f"{type(self).__name__} has no restore()")

    @property
    def decides_at_once(self) -> bool:
        """Whether ``decide`` waits for nothing, so that it needs no thread of its own."""
        return False

    @classmethod
    def provenance_of(cls, config: Any, model: Any) -> str:
        """Return where the decisions of an agent with this scenario table come from."""
        return cls.provenance

    # ---- What it can do ------------------------------------------------------------------------------------

    @property
    def account(self) -> int:
        """Its account number at the first venue; ``accounts`` has those at the others."""
        return next(iter(self.accounts.values()))

    @property
    def now(self) -> int:
        """Simulated time in ns since the start of the run."""
        return self.host.now

    def wake_in(self, delay_ns: int, payload: Any = None) -> None:
        """Have ``on_wake(payload)`` called ``delay_ns`` from now; the payload must survive JSON."""
        self.wake_at(self.host.now + delay_ns, payload)

    def wake_at(self, time_ns: int, payload: Any = None) -> None:
        """Have ``on_wake(payload)`` called at a simulated time.

        Raises
        ------
        TypeError
            The time is no int, or the payload would not survive JSON.
        PastError
            The time is over.
        """
        require_json(payload, "the payload of a wake")
        self.host.schedule(time_ns, self, "on_wake", payload)

    def listen(self, channel: str) -> None:
        """Hear what is published on a channel such as ``"ACME.quotes"`` or ``"ACME.trades"``.

        Raises
        ------
        ValueError
            No venue has such a channel.
        """
        self.host.listen(self, channel)

    def submit(self, command: Command, venue: str = "") -> None:
        """Send a command that takes effect its order latency from now.

        Parameters
        ----------
        command : Command
            As the venue defines it.
        venue : str
            Name of the venue; may be left out where there is only one.
        """
        self.host.venue(venue).submit(command, self.host.now + self.order_latency_ns)

    def ask(self, question: Any, latency_ns: int, overlap: Literal["drop", "queue"] = "drop") -> bool:
        """Start a decision: ``decide(question)`` runs meanwhile, ``on_decision(answer)`` comes ``latency_ns`` from now.

        Parameters
        ----------
        question : JSON value
            Copied; a checkpoint stores it and a resumed run asks it again.
        latency_ns : int
            Virtual latency: drawn from the scenario, never from the wall clock.
        overlap : {"drop", "queue"}
            What to do while a decision of this agent is in flight: drop the question, or ask it when that one has taken
            effect, its latency counting from there.

        Returns
        -------
        bool
            Whether it was asked or queued. It is neither where the answer would come at the end of the run or later.
        """
        require_json(question, "a question")
        return self.host.ask(self, question, latency_ns, overlap)

    def rng(self) -> np.random.Generator:
        """Return the random generator of this call of a hook.

        Its draws are addressed by (scenario table, number of the call, index of the agent), so nobody else's draws
        change what it gives, and a resumed run draws the same.
        """
        if self._key is None:
            self._key = rng.stream_key(self.host.seed, self.host.replicate, "agents", self.table, "agent")
        if self._generator is None:
            self._generator = rng.generator(self._key, self._activations, self.index)
        return self._generator

    def remove(self) -> None:
        """Leave the run: its wakes, notices and decisions are dropped. Its resting orders stay: cancel them first."""
        self.host.forget(self)
        super().remove()

    # ---- Called by the time line ---------------------------------------------------------------------------

    def carry_out(self, hook: str, payload: Any) -> None:
        """Call a hook."""
        self._activations += 1
        self._generator = None
        if hook == "on_notice":
            self.note(payload)
            self.on_notice(payload)
        elif hook == "on_wake":
            self.on_wake(payload)
        elif hook == "on_decision":
            self.on_decision(self.host.take_answer(self))
        else:
            self.on_start()

    def note(self, notice: Notice) -> None:
        """Take what a base class such as ``Trader`` keeps account of, before ``on_notice``."""

    @classmethod
    def missing_for_resume(cls) -> list[str]:
        """Return which of ``state`` and ``restore`` the class lacks."""
        return [name for name in ("state", "restore") if getattr(cls, name) is getattr(Agent, name)]

    def base_state(self) -> dict[str, Any]:
        """Return what the base classes remember; saved beside ``state``."""
        return {
            "activations": self._activations,
            "questions_dropped": self.questions_dropped,
            "questions_too_late": self.questions_too_late,
        }

    def restore_base(self, state: dict[str, Any]) -> None:
        """Inverse of ``base_state``."""
        self._activations, self._generator = state["activations"], None
        self.questions_dropped, self.questions_too_late = state["questions_dropped"], state["questions_too_late"]

    @property
    def random(self) -> NoReturn:
        """Refused: Mesa's generator is one for all agents, and no checkpoint would hold it."""
        raise AttributeError(
            "use self.rng(): Mesa's random is one generator for all agents, so one draw shifts all others"
        )
