"""``Simulation``: the Mesa model that holds venues, agents, decisions in flight and the recorder."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

import mesa
import numpy as np
from numpy.typing import NDArray

from marketsim.agents.agent import Agent, Seat
from marketsim.agents.config import AgentConfig
from marketsim.core.durations import format_duration
from marketsim.core.errors import AgentError, BudgetError, DecisionError, SimulationError
from marketsim.core.venue import Notice, Venue
from marketsim.simulation.cast import Cast
from marketsim.simulation.checkpoint import State
from marketsim.simulation.clock import NEVER, Clock, Entry, earliest
from marketsim.simulation.decisions import Decisions
from marketsim.simulation.interrupt import interruptible
from marketsim.simulation.recorder import Discard, Recorder

if TYPE_CHECKING:
    from marketsim.llm.service import LlmService
    from marketsim.scenario.schema import Scenario

ProgressCallback = Callable[[int, int], object]
"""Called now and then with simulated time in ns and the number of events so far."""


class OrderFlow(Protocol):
    """A source of orders in Python, asked by a venue that returned ``Stop.NEED_FLOW``."""

    def supply(self, venue: Venue) -> None:
        """Give the venue what comes next."""

    def state(self) -> dict[str, NDArray[Any]]:
        """Return everything that decides what comes next; ``restore`` is its inverse."""

    def restore(self, state: dict[str, NDArray[Any]]) -> None:
        """Go back to a state that ``state`` gave."""


class Simulation(mesa.Model):  # type: ignore[misc]
    """Venues, agents and decisions on one line of simulated time.

    Parameters
    ----------
    venues : sequence of Venue
        In the order in which they act at one instant.
    duration_ns : int
        Simulated time at which everything ends.
    seed, replicate : int
        Address the random draws of the agents.
    recorder : Recorder, optional
        Where the tables go; by default nowhere.
    flows : mapping of str to OrderFlow, optional
        Sources of order flow in Python, by name of the venue that they serve.
    build_venues : callable, optional
        Makes the same venues again, as they were at the start: what ``fork`` needs.
    decision_timeout_s : float, optional
        Wall-clock seconds after which an unanswered question fails the run.
    llm : LlmService, optional
        Language models that agents may ask; ``close`` closes it.

    Examples
    --------
    >>> simulation = Simulation([exchange], duration_ns=60 * SECOND, seed=1)  # doctest: +SKIP
    >>> simulation.add(MyAgent, MyAgent.Config(kind="mine"))  # doctest: +SKIP
    >>> simulation.run()  # doctest: +SKIP
    True
    """

    def __init__(
        self,
        venues: Sequence[Venue],
        duration_ns: int,
        seed: int,
        *,
        replicate: int = 0,
        recorder: Recorder | None = None,
        flows: Mapping[str, OrderFlow] | None = None,
        build_venues: Callable[[], Sequence[Venue]] | None = None,
        decision_timeout_s: float | None = None,
        llm: LlmService | None = None,
    ) -> None:
        super().__init__(seed=0)  # nobody draws from Mesa's generators: one draw would shift all others
        if not venues:
            raise ValueError("a simulation needs at least one venue")
        self.seed, self.replicate, self.duration_ns = seed, replicate, duration_ns
        self.venues = tuple(venues)
        self.recorder: Recorder = Discard() if recorder is None else recorder
        self.seconds = 0.0
        """Wall-clock seconds spent in ``run``."""
        self._clock = self._make_clock()
        self.llm = llm
        thinker = None if llm is None else llm.loop
        self._decisions = Decisions(self._clock.agenda, duration_ns, decision_timeout_s, thinker)
        self._refused: BudgetError | None = None
        self._decision_timeout_s = decision_timeout_s
        self._venue_by_name = {venue.name: venue for venue in venues}
        self._flows = dict(flows or {})
        self._build_venues = build_venues
        self._cast = Cast(self.venues)
        self._progress: ProgressCallback | None = None
        self._next_checkpoint = float("inf")
        self._ended = False

    def _make_clock(self) -> Clock:
        return Clock(self.venues, self.duration_ns, self)

    # ---- Building --------------------------------------------------------------------------------------------

    @classmethod
    def from_scenario(cls, scenario: Scenario, run_dir: Path | None = None, *, force: bool = False) -> Simulation:
        """Return the simulation that a scenario describes; it records where ``run_dir`` is given.

        Arguments and errors as for ``build.start_run``.
        """
        from marketsim.simulation.build import build_simulation, start_run

        return build_simulation(scenario) if run_dir is None else start_run(scenario, run_dir, force=force)

    @classmethod
    def resume(cls, path: str | Path) -> Simulation:
        """Return a run at its last checkpoint; errors as for ``build.resume_run``."""
        from marketsim.simulation.build import resume_run

        return resume_run(path)

    @property
    def cast(self) -> Iterable[Agent]:
        """The agents that are there, in the order in which they came."""
        return self._cast

    def add(self, kind: type[Agent], config: AgentConfig) -> list[Agent]:
        """Put the agents of one scenario table into the run; their ``on_start`` comes at the present instant.

        Raises
        ------
        ValueError
            An agent of that name is there already.
        """
        names = config.agent_names()
        return [self._seat(kind, name, config, index) for index, name in enumerate(names)]

    def _seat(self, kind: type[Agent], name: str, config: AgentConfig, index: int, *, starts: bool = True) -> Agent:
        self._cast.require_new(name)
        provenance = kind.provenance_of(config, self)
        accounts = {venue.name: venue.add_agent(name, config.kind, provenance) for venue in self.venues}
        seat = Seat(name, config.label, index, config, accounts)
        agent = kind(self, seat)
        self._cast.enter(agent, seat)
        if starts:
            self.schedule(self.now, agent, "on_start", None)
        return agent

    # ---- Running ---------------------------------------------------------------------------------------------

    @property
    def now(self) -> int:
        """Simulated time in ns: of the agent that acts, or the instant up to which was run."""
        return self._clock.now

    @property
    def interrupted(self) -> bool:
        """Whether the last ``run`` ended because of Ctrl-C or ``interrupt``."""
        return self._clock.interrupted

    @property
    def events(self) -> int:
        """Events that the venues have carried out."""
        return sum(venue.events for venue in self.venues)

    @property
    def complete(self) -> bool:
        """Whether the end of the scenario was reached."""
        return self._ended

    def interrupt(self) -> None:
        """Stop between two events: what Ctrl-C does. May be called from any thread."""
        self._clock.interrupted = True

    def run(self, until: int | None = None, progress: ProgressCallback | None = None) -> bool:
        """Carry out everything before ``until`` and before the end.

        Parameters
        ----------
        until : int, optional
            Simulated time in ns; what stands at that very instant is left to the next run. Default: the end.
        progress : callable, optional
            Called now and then with simulated time and the number of events.

        Returns
        -------
        bool
            False where Ctrl-C came first. Tables and a checkpoint are on disk then, and another ``run`` goes on.

        Raises
        ------
        AgentError
            An agent's own code failed; its ``__cause__`` says how.
        BudgetError
            A cap of ``[llm.budget]`` is reached. Tables and a checkpoint are on disk, as after Ctrl-C.
        DecisionError
            A language model could not be asked.
        SimulationError
            Agents wake each other without end, a population broke its contract, or the disk refuses.
        """
        if self._ended:
            return True
        self._clock.interrupted, self._progress, self._refused = False, progress, None
        begun, seconds_before = time.monotonic(), self.seconds
        self._plan_checkpoint(begun)
        self.recorder.begin()
        try:
            with interruptible(self.interrupt):
                reached = self._clock.run(NEVER if until is None else until)
                self.seconds = seconds_before + time.monotonic() - begun
                self._settle(reached)
        except BaseException as error:  # whatever it is, the tables written so far must be readable
            self.seconds = seconds_before + time.monotonic() - begun
            self._fail(error)
            raise
        if self._refused is not None:
            raise self._refused
        return reached

    def run_model(self) -> None:
        """Run to the end; Mesa's name for it."""
        self.run()

    def close(self) -> None:
        """End the thread of the decisions; what is in flight is dropped."""
        self._decisions.close()
        if self.llm is not None:
            self.llm.close()

    def _settle(self, reached: bool) -> None:
        """After the loop: write a checkpoint where it was interrupted, finish where the end was reached."""
        if self._progress is not None:
            self._progress(earliest(self._clock), self.events)
        if not reached:
            if self._refused is not None:
                self._decisions.drain()
            self._checkpoint(interrupted=True)
        elif self.now >= self.duration_ns:
            self._end()

    def _fail(self, error: BaseException) -> None:
        self._ended = True
        self.close()
        if isinstance(error, Exception):  # a second Ctrl-C came at an arbitrary line
            with suppress(SimulationError):  # the recorder's own fault, already on its way
                self._take_rows()
        self.recorder.fail(error, self.seconds)

    def _take_rows(self) -> None:
        for venue in self.venues:
            self.recorder.take(venue.tables())
        if self.llm is not None:
            self.recorder.take(self.llm.tables())

    def _end(self) -> None:
        self._take_rows()
        for venue in self.venues:
            self.recorder.take(venue.finish())
        self._ended = True
        self.close()
        self.recorder.finish(self.seconds)

    # ---- What the loop leaves to the simulation --------------------------------------------------------------

    def tell(self, venue: Venue, notices: Sequence[Notice]) -> None:
        """Put notices on the agenda, each at the time at which an agent hears it."""
        add = self._clock.agenda.add
        for notice in notices:
            for agent in self._cast.hearers(venue, notice):
                add(notice.time_ns + agent.market_data_latency_ns, agent, "on_notice", notice)

    def record(self, venue: Venue) -> None:
        """Take a venue's tables."""
        self.recorder.take(venue.tables())
        if self.llm is not None:
            self.recorder.take(self.llm.tables())
        self.pulse()

    def supply(self, venue: Venue) -> None:
        """Ask the venue's source of order flow for more."""
        flow = self._flows.get(venue.name)
        if flow is None:
            raise SimulationError(f"{venue.name} asks for order flow, but has no source of it in Python")
        flow.supply(venue)

    def is_ready(self, agent: Agent) -> bool:
        """Say whether an agent's answer is there; wait a moment for it."""
        if not self._decisions.is_ready(agent):
            return False
        self._refused = self._decisions.refused(agent)
        if self._refused is None:
            return True
        self.interrupt()  # the effect stays on the agenda, and is asked for again when the run goes on
        return False

    def carry_out(self, entry: Entry) -> None:
        """Call an agent's hook."""
        try:
            entry.agent.carry_out(entry.hook, entry.payload)
        except DecisionError as error:
            error.agent = f"agent {entry.agent.name} at {format_duration(entry.time_ns)}"
            raise
        except Exception as error:  # the code is the user's, and so is whatever it raises
            raise AgentError(entry.agent.name, entry.time_ns, error) from error

    def pulse(self) -> None:
        """Report progress, and write a checkpoint where one is due."""
        if self._progress is not None:
            self._progress(earliest(self._clock), self.events)
        if time.monotonic() >= self._next_checkpoint:
            self._checkpoint(interrupted=False)
            self._plan_checkpoint(time.monotonic())

    def _plan_checkpoint(self, moment: float) -> None:
        every = self.recorder.checkpoint_every_s
        self._next_checkpoint = float("inf") if every is None else moment + every

    def _checkpoint(self, *, interrupted: bool) -> None:
        self._take_rows()
        if self.recorder.checkpoint_every_s is not None:
            self.recorder.checkpoint(self.state(), self.seconds, interrupted=interrupted)

    # ---- What agents ask for ---------------------------------------------------------------------------------

    def agent(self, name: str) -> Agent:
        """Return an agent by name; ``KeyError`` where there is none or it has left."""
        return self._cast.present[name]

    def venue(self, name: str = "") -> Venue:
        """Return a venue by name; without a name the only one.

        Raises
        ------
        ValueError
            There is none of that name, or the name is left out where there are several.
        """
        if not name and len(self.venues) == 1:
            return self.venues[0]
        if name not in self._venue_by_name:
            raise ValueError(f"expected the name of a venue, one of {', '.join(self._venue_by_name)}; found {name!r}")
        return self._venue_by_name[name]

    def schedule(self, at: int, agent: Agent, hook: str, payload: Any) -> None:
        """Have an agent's hook called at ``at``; errors as for ``Agenda.add``."""
        self._clock.agenda.add(at, agent, hook, payload)

    def listen(self, agent: Agent, channel: str) -> None:
        """Deliver a channel's notices to an agent from now on; errors as for ``Cast.listen``."""
        self._cast.listen(agent, channel)

    def ask(self, agent: Agent, question: Any, latency_ns: int, overlap: str) -> bool:
        """Start a decision; ``Agent.ask`` says what the arguments mean."""
        return self._decisions.ask(agent, question, latency_ns, overlap)

    def take_answer(self, agent: Agent) -> Any:
        """Return the answer that takes effect now."""
        return self._decisions.take(agent)

    def forget(self, agent: Agent) -> None:
        """Drop all that is on its way to an agent that leaves."""
        self._clock.agenda.forget(agent)
        self._decisions.forget(agent)
        self._cast.leave(agent)

    # ---- State -----------------------------------------------------------------------------------------------

    def state(self) -> State:
        """Return everything that decides what happens next. Rows not yet recorded are no part of it."""
        arrays = {
            f"{venue.name}/{key}": np.array(value) for venue in self.venues for key, value in venue.state().items()
        }
        for name, flow in self._flows.items():
            arrays |= {f"{name}.flow/{key}": np.array(value) for key, value in flow.state().items()}
        document = {
            "now": self.now,
            "wakes": self._clock.wakes(),
            "agenda": [[at, agent.name, hook, payload] for at, agent, hook, payload in self._clock.agenda.entries()],
            "decisions": self._decisions.state(),
            **self._cast.state(self.now),
        }
        return State(arrays, copy.deepcopy(document))  # agents go on changing what they gave

    def restore(self, state: State) -> None:
        """Go back to a state that ``state`` gave; the simulation must have been built the same way.

        Raises
        ------
        SimulationError
            An agent's class lacks ``state`` or ``restore``, or the agents are others.
        """
        arrays, document = state
        self._cast.restore(document)
        for venue in self.venues:
            venue.restore(_under(arrays, f"{venue.name}/"))
        for name, flow in self._flows.items():
            flow.restore(_under(arrays, f"{name}.flow/"))
        present = self._cast.present
        entries = [
            Entry(at, present[name], hook, Notice(*payload) if hook == "on_notice" else payload)
            for at, name, hook, payload in document["agenda"]
        ]
        self._clock.agenda.restore(document["now"], entries)
        self._clock.restore_wakes(document["wakes"])
        self._decisions.restore(document["decisions"], present)

    def fork(self, recorder: Recorder | None = None) -> Self:
        """Return a copy in memory that goes its own way: what if, best of n. Decisions in flight are asked again.

        Raises
        ------
        SimulationError
            An agent's class lacks ``state`` or ``restore``, or the simulation was built without ``build_venues``.
        """
        if self._build_venues is None:
            raise SimulationError("this simulation cannot be forked: it was built without build_venues")
        twin = type(self)(
            self._build_venues(),
            self.duration_ns,
            self.seed,
            replicate=self.replicate,
            recorder=recorder,
            build_venues=self._build_venues,
            decision_timeout_s=self._decision_timeout_s,
            llm=None if self.llm is None else self.llm.share(),
        )
        for kind, seat in self._cast.roles:
            twin._seat(kind, seat.name, seat.config, seat.index, starts=False)
        twin.restore(self.state())
        return twin


def _under(arrays: Mapping[str, NDArray[Any]], prefix: str) -> dict[str, NDArray[Any]]:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
