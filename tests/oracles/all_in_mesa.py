"""The same market with every event of every venue a Mesa event: one list, no legs, no horizons. Slow and plain.

It shares the agents and the rules of the populations with what it judges, and nothing else. Answers are computed when
they are asked for.
"""

import asyncio
from enum import IntEnum

import mesa
from mesa.experimental.devs.eventlist import EventList, SimulationEvent


class Rank(IntEnum):
    """Order at one instant: agents, then each venue's flow and its events. ``SimulationEvent`` wants an enumeration."""

    AGENT = 0
    FLOW_0, VENUE_0, FLOW_1, VENUE_1 = 1, 2, 3, 4


class AllInMesa(mesa.Model):
    """What an agent's host is, without a clock. ``make_venues(model)`` gives venues that put their events on it."""

    def __init__(self, make_venues, end, seed=0, first_account=1):
        super().__init__(seed=0)
        self.seed, self.replicate, self.end, self.now = seed, 0, end, 0
        self.list, self.people, self.listeners = EventList(), [], {}
        self.answers, self.waiting = {}, {}
        self.first_account = first_account
        self.venues = make_venues(self)

    def add(self, kind, seat):
        agent = kind(self, seat)
        self.people.append(agent)
        self.schedule(self.now, agent, "on_start", None)
        return agent

    def at(self, instant, rank, method, *arguments):
        self.list.add_event(SimulationEvent(instant, method, rank, list(arguments)))

    def run(self):
        while True:
            try:
                event = self.list.pop_event()
            except IndexError:
                return
            if event.time >= self.end:
                return
            self.now = event.time
            event.execute()

    def tell(self, venue, notice):
        """Called by a venue, with its name, when something happens."""
        if notice.to:
            heard_by = [agent for agent in self.people if agent.accounts[venue] == notice.to]
        else:
            heard_by = self.listeners.get(notice.channel, [])
        for agent in heard_by:
            self.schedule(notice.time_ns + agent.market_data_latency_ns, agent, "on_notice", notice)

    def schedule(self, at, agent, hook, payload):
        self.at(at, Rank.AGENT, self.call, agent, hook, payload)

    def call(self, agent, hook, payload):
        if agent in self.people:
            agent.carry_out(hook, payload)

    def listen(self, agent, channel):
        for venue in self.venues:
            venue.listen(channel)
        self.listeners.setdefault(channel, [])
        if agent not in self.listeners[channel]:
            self.listeners[channel].append(agent)

    def venue(self, name=""):
        return next(venue for venue in self.venues if not name or venue.name == name)

    def ask(self, agent, question, latency_ns, overlap):
        if agent in self.answers:
            if overlap == "queue":
                self.waiting.setdefault(agent, []).append((question, latency_ns))
                return True
            agent.questions_dropped += 1
            return False
        if self.now + latency_ns >= self.end:
            agent.questions_too_late += 1
            return False
        self.answers[agent] = asyncio.run(agent.decide(question))
        self.schedule(self.now + latency_ns, agent, "on_decision", None)
        return True

    def take_answer(self, agent):
        answer = self.answers.pop(agent)
        while self.waiting.get(agent) and agent not in self.answers:
            self.ask(agent, *self.waiting[agent].pop(0), "queue")
        return answer

    def forget(self, agent):
        self.people.remove(agent)
        self.answers.pop(agent, None)
        self.waiting.pop(agent, None)
        for agents in self.listeners.values():
            if agent in agents:
                agents.remove(agent)


class ToyReference:
    """A toy venue that puts each of its events on the model's list."""

    def __init__(self, model, index, name, populations, flow_every=0, flow_batch=None):
        self.model, self.index, self.name = model, index, name
        self.price, self.rows, self.n_flow = 1, [], 0
        self.flow_every, self.flow_batch = flow_every, flow_batch
        members = [(population, row) for population in populations for row in range(population.count)]
        for who, (population, row) in enumerate(members):
            self.at(row * population.grid, self.wake, who, population, row, [0], 0)
        if flow_every:
            model.at(0, Rank(1 + 2 * index), self.flow)

    def at(self, instant, method, *arguments):
        self.model.at(instant, Rank(2 + 2 * self.index), method, *arguments)

    def wake(self, who, population, row, memory, number):
        address = (population.name, number, row)
        following, value, heard = population.rule(population, memory, self.price, self.model.now, address)
        self.at(following, self.wake, who, population, row, memory, number + 1)
        self.happen(0, who, value, 31)
        if heard:
            self.tell(0, "tick", f"{self.name}.ticks", {"price": self.price})

    def listen(self, channel):
        """Everything is told anyway."""

    def submit(self, command, at):
        self.at(at, self.obey, command)

    def obey(self, command):
        self.happen(1, command.agent, command.value, 17)
        if command.report:
            self.tell(command.agent, "done", "", {"price": self.price, "value": command.value})

    def flow(self):
        for delay, value in self.flow_batch(self.n_flow, self.flow_every):
            self.at(self.model.now + delay, self.happen, 2, 0, value, 13)
        self.n_flow += 1
        self.model.at(self.model.now + self.flow_every, Rank(1 + 2 * self.index), self.flow)

    def happen(self, kind, who, value, factor):
        self.price = (self.price * factor + value) % 1_000_003
        self.rows.append((self.model.now, kind, who, value, self.price))

    def tell(self, to, topic, channel, data):
        from marketsim.core.venue import Notice

        self.model.tell(self.name, Notice(self.model.now, to, topic, channel, data))
