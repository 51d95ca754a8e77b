"""``Cast``: who takes part in a run, who listens to what, and what each agent remembers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from marketsim.agents.agent import Agent, Seat, require_json
from marketsim.core.errors import AgentError, SimulationError
from marketsim.core.venue import EVERYONE, Notice, Venue


class Role(NamedTuple):
    """One agent that came to the run, whether or not it is still there."""

    kind: type[Agent]
    seat: Seat


class Cast:
    """The agents of a simulation.

    Parameters
    ----------
    venues : sequence of Venue
        Where channels are opened.
    """

    def __init__(self, venues: Sequence[Venue]) -> None:
        self.roles: list[Role] = []
        """Everyone who ever came, in order."""
        self.present: dict[str, Agent] = {}
        """Those who are there, by name."""
        self._venues = venues
        self._names: set[str] = set()
        self._by_account: dict[tuple[str, int], Agent] = {}
        self._listeners: dict[str, list[Agent]] = {}

    def require_new(self, name: str) -> None:
        """Refuse a name that an agent has or had."""
        if name in self._names:
            raise ValueError(f"expected unique names of agents; found more than one {name}")

    def enter(self, agent: Agent, seat: Seat) -> None:
        """Take an agent in."""
        self.roles.append(Role(type(agent), seat))
        self._names.add(seat.name)
        self.present[seat.name] = agent
        self._by_account |= dict.fromkeys(seat.accounts.items(), agent)

    def leave(self, agent: Agent) -> None:
        """Let an agent go; nothing reaches it any more."""
        self.present.pop(agent.name, None)
        for account in agent.accounts.items():
            self._by_account.pop(account, None)
        for listeners in self._listeners.values():
            if agent in listeners:
                listeners.remove(agent)

    # ---- Notices ---------------------------------------------------------------------------------------------

    def listen(self, agent: Agent, channel: str) -> None:
        """Add an agent to the listeners of a channel; once, however often it asks.

        Raises
        ------
        ValueError
            No venue has this channel.
        """
        self._open(channel)
        listeners = self._listeners.setdefault(channel, [])
        if agent not in listeners:
            listeners.append(agent)

    def hearers(self, venue: Venue, notice: Notice) -> Sequence[Agent]:
        """Return who hears a notice, in order: its addressee, or all who listen on its channel."""
        if notice.to == EVERYONE:
            return self._listeners.get(notice.channel, ())
        agent = self._by_account.get((venue.name, notice.to))
        return () if agent is None else (agent,)

    def _open(self, channel: str) -> None:
        faults = []
        for venue in self._venues:
            try:
                venue.listen(channel)
            except ValueError as error:
                faults.append(str(error))
            else:
                return
        raise ValueError("; ".join(faults))

    # ---- State -----------------------------------------------------------------------------------------------

    def state(self, now: int) -> dict[str, Any]:
        """Return listeners and what each agent remembers, as JSON can hold it."""
        return {
            "agents": [self._agent_state(role, now) for role in self.roles],
            "listeners": {channel: [agent.name for agent in agents] for channel, agents in self._listeners.items()},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go back to a state. The agents must be the same, freshly made.

        Raises
        ------
        SimulationError
            They are others, or a class lacks ``state`` or ``restore``.
        """
        self._require_same_agents(state["agents"])
        for role in self.roles:
            require_resumable(role)
        for entry in state["agents"]:
            self._restore_agent(entry)
        self._listeners = {name: [self.present[who] for who in names] for name, names in state["listeners"].items()}
        for channel in self._listeners:
            self._open(channel)

    def _agent_state(self, role: Role, now: int) -> dict[str, Any]:
        kind, seat = role
        entry: dict[str, Any] = {"name": seat.name, "class": kind.__qualname__, "here": seat.name in self.present}
        if entry["here"]:
            agent = self.present[seat.name]
            entry["base"] = agent.base_state()
            if not kind.missing_for_resume():
                entry["state"] = _own_state(agent, now)
        return entry

    def _require_same_agents(self, entries: Sequence[Mapping[str, Any]]) -> None:
        expected = [(role.seat.name, role.kind.__qualname__) for role in self.roles]
        found = [(entry["name"], entry["class"]) for entry in entries]
        if found != expected:
            odd = sorted({f"{name} ({kind})" for name, kind in set(found) ^ set(expected)})
            raise SimulationError(f"the agents of this state are others: {', '.join(odd) or 'in another order'}")

    def _restore_agent(self, entry: Mapping[str, Any]) -> None:
        agent = self.present[entry["name"]]
        if not entry["here"]:
            agent.remove()
            return
        agent.restore_base(entry["base"])
        try:
            agent.restore(entry["state"])
        except Exception as error:  # the code is the user's, and so is whatever it raises
            raise AgentError(agent.name, agent.now, error) from error

    def __iter__(self) -> Iterator[Agent]:
        """Iterate over those who are there."""
        return iter(self.present.values())


def require_resumable(role: Role) -> None:
    """Refuse a class that cannot say what it remembers."""
    missing = role.kind.missing_for_resume()
    if missing:
        raise SimulationError(
            f"class {role.kind.__qualname__} (agent {role.seat.name}) lacks {' and '.join(missing)}, "
            "so a run with it can be neither resumed nor forked"
        )


def _own_state(agent: Agent, now: int) -> dict[str, Any]:
    try:
        state = agent.state()
        require_json(state, f"{type(agent).__qualname__}.state()")
    except Exception as error:  # the code is the user's
        raise AgentError(agent.name, now, error) from error
    return state
