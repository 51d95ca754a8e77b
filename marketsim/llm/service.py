"""``LlmService``: what the agents of one run share: clients, store, budget, loop, and the log of calls."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

from marketsim.core.loop_thread import LoopThread
from marketsim.llm.budget import Caps, Prices
from marketsim.llm.client import Access, ChatClient, Shared
from marketsim.llm.config import RESPONDENTS, LlmConfig
from marketsim.llm.errors import CapabilityError, RecordError
from marketsim.llm.probe import kept_card
from marketsim.llm.record import RecordStore
from marketsim.llm.sampler import Call, Decision, Sampler
from marketsim.llm.tables import CALLS
from marketsim.llm.transport import Patience

if TYPE_CHECKING:
    import pyarrow as pa

NANOSECONDS = 1_000_000_000
ROWS_PER_BATCH = 4096


class Overriding(Protocol):
    """A table of agents that may override keys of ``[llm]``."""

    def merged(self, base: LlmConfig | None) -> LlmConfig:
        """Return ``[llm]`` with the overrides."""


class LlmService:
    """The language models of one run.

    Parameters
    ----------
    config : LlmConfig
        ``[llm]``.
    folder : Path, optional
        Where respondents of one's own are looked for.

    Notes
    -----
    ``open`` comes before the first question. Everything but ``log`` and ``tables``, which the simulation's thread
    calls, runs in ``loop``.
    """

    def __init__(self, config: LlmConfig, folder: Path | None = None) -> None:
        self.config, self._folder = config, folder
        self.loop = LoopThread("marketsim decisions")
        self._shared: Shared | None = None
        self._clients: dict[Access, ChatClient] = {}
        self._settings: dict[int, tuple[Overriding, LlmConfig]] = {}
        self._samplers: dict[int, Sampler] = {}  # which keep their settings alive, and so their identity
        self._rows: list[tuple[Any, ...]] = []
        self._users = [1]  # shared with those that share

    def open(self, store: Path | None, run: str, *, is_new: bool = True) -> None:
        """Open the record store.

        Parameters
        ----------
        store : Path, optional
            Where a run keeps its own record; ``llm.record`` comes before it. None and no ``llm.record``: nothing is
            kept.
        run : str
            Name of the run, under which its spending is kept.
        is_new : bool
            The run begins: in mode record its store must be new too.

        Raises
        ------
        RecordError
            The store cannot be used.
        """
        config = self.config
        path = config.record if config.record is not None else store
        if is_new and config.mode == "record" and config.record is not None and config.record.exists():
            raise RecordError(
                f"{config.record}: llm.record: exists already; "
                'llm.mode = "cache" goes on with it, "replay" answers from it'
            )
        opened = RecordStore(path, read_only=config.mode == "replay") if path is not None else None
        budget = config.budget
        self._shared = Shared(
            store=opened,
            mode=config.mode,
            concurrency=config.concurrency,
            caps=Caps(budget.calls, budget.tokens, budget.money),
            requests_per_minute=config.requests_per_minute,
            tokens_per_minute=config.tokens_per_minute,
            run=run,
            folder=self._folder,
        )

    @property
    def shared(self) -> Shared:
        """Store, budget and counts."""
        if self._shared is None:
            self.open(None, "")
            assert self._shared is not None
        return self._shared

    def settings(self, table: Overriding) -> LlmConfig:
        """Return ``[llm]`` with the overrides of a table of agents; one object for all of its agents."""
        if id(table) not in self._settings:
            self._settings[id(table)] = (table, table.merged(self.config))
        return self._settings[id(table)][1]

    def sampler(self, config: LlmConfig, model: str) -> Sampler:
        """Return what asks a model, with ``[llm]`` and an agent's overrides.

        Raises
        ------
        AuthenticationError
            The key is not set.
        CapabilityError
            An earlier probe found that the model cannot serve the regime.
        """
        if id(config) not in self._samplers:
            self._samplers[id(config)] = self._new_sampler(config, model)
        return self._samplers[id(config)]

    def _new_sampler(self, config: LlmConfig, model: str) -> Sampler:
        patience = Patience(config.retries, config.timeout / NANOSECONDS)
        access = Access(
            config.endpoint, config.key_env, patience, Prices(config.prices.prompt, config.prices.completion)
        )
        if access not in self._clients:
            self._clients[access] = ChatClient(access, self.shared)
        if config.mode != "replay":
            access.key()  # a missing key is found before anything is simulated
            _require_regime(config, model)
        return Sampler(self._clients[access], config, model)

    def provenance(self, config: LlmConfig) -> str:
        """Return where decisions come from. Replayed answers of respondents are still a respondent's."""
        if config.endpoint == RESPONDENTS:
            return "respondent"
        return "recorded" if self.config.mode == "replay" else "live"

    # ---- The log ---------------------------------------------------------------------------------------------

    def log(self, decision: Decision, who: dict[str, Any], provenance: str) -> None:
        """Write down the calls of a decision that takes effect now.

        Parameters
        ----------
        decision : Decision
            What was decided.
        who : dict
            ``time_ns``, ``asked_ns``, ``agent``, ``kind``, ``arm``, ``step``, ``question``, ``regime``, ``prompt``.
        provenance : str
            Where it comes from.
        """
        for call in decision.calls:
            self._rows += call_rows(call, who, provenance)

    def tables(self) -> Iterator[tuple[str, pa.RecordBatch]]:
        """Yield the rows since the last call."""
        import pyarrow as pa

        rows, self._rows = self._rows, []
        for first in range(0, len(rows), ROWS_PER_BATCH):
            columns = list(zip(*rows[first : first + ROWS_PER_BATCH], strict=True))
            arrays = [pa.array(column, field.type) for column, field in zip(columns, CALLS.schema, strict=True)]
            yield CALLS.name, pa.RecordBatch.from_arrays(arrays, schema=CALLS.schema)

    # ---- Life ------------------------------------------------------------------------------------------------

    def share(self) -> Self:
        """Return the service for one more simulation, with a log of its own; the last one to close it ends it."""
        self._users[0] += 1
        twin = copy.copy(self)
        twin._rows = []
        return twin

    def close(self) -> None:
        """Close connections, store and thread; nothing where that was done or another simulation goes on."""
        self._users[0] -= 1
        if self._users[0] != 0:
            return
        if self._shared is None and not self._clients:
            self.loop.close()
            return

        async def close_all() -> None:
            await asyncio.gather(*(client.aclose() for client in self._clients.values()))

        self.loop.start(close_all()).result()
        self.loop.close()
        if self._shared is not None and self._shared.store is not None:
            self._shared.store.close()


def _require_regime(config: LlmConfig, model: str) -> None:
    """Refuse a regime of which an earlier probe found that the model cannot serve it."""
    if config.endpoint == RESPONDENTS:
        return  # which refuse by themselves
    card = kept_card(config.endpoint, model, config.api)
    missing = card.missing(config.sampling.regime) if card is not None else []
    if card is not None and missing:
        finding = card.capabilities[missing[0]]
        text = (
            f'llm.sampling.regime = "{config.sampling.regime}" needs {missing[0]}, which {model} at {config.endpoint}'
        )
        what = f"{finding.verdict}: {finding.detail}"
        raise CapabilityError(missing[0], f"{text} does not give ({what}), as a probe of {card.date} found")


def call_rows(call: Call, who: dict[str, Any], provenance: str) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of one call, in the order of the columns of ``llm/calls``."""
    response, plan = call.response, call.plan
    shown = json.dumps([list(each) for each in zip(plan.shown.labels, plan.shown.names, strict=True)])
    parameters = json.dumps(plan.parameters, sort_keys=True)
    usage = response.usage
    for number, parsed in enumerate(call.answers):
        place = number if plan.answers == 1 else 0
        said = response.completions[place] if place < len(response.completions) else None
        yield (
            who["time_ns"],
            who["asked_ns"],
            who["agent"],
            who["kind"],
            who["arm"],
            who["step"],
            who["question"],
            who["regime"],
            response.draw,
            response.attempt,
            number,
            number == call.picked,
            parsed.outcome,
            json.dumps(parsed.value, sort_keys=True) if parsed.value is not None else "",
            said.text if said is not None else "",
            shown,
            said.finish_reason if said is not None else "",
            who["model"],
            parameters,
            who["prompt"],
            response.key,
            provenance,
            response.model,
            response.fingerprint,
            response.date,
            usage.prompt_tokens,
            usage.completion_tokens,
            usage.reasoning_tokens,
            response.latency_s,
            response.tries,
        )
