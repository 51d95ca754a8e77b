"""One question asked in every regime: answers with their calls, ready to be audited."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from marketsim.analysis.bias import Audit, Columns, Settings, audit_table
from marketsim.analysis.bias.table import AnswerTable, Factor
from marketsim.core.loop_thread import LoopThread
from marketsim.lab.sampling_file import RegimeConfig, SamplingFile
from marketsim.llm import Access, Caps, ChatClient, Patience, Prices, RecordStore, Shared
from marketsim.llm.config import RESPONDENTS
from marketsim.llm.question import Option, Question
from marketsim.llm.regimes import Exchange
from marketsim.llm.sampler import Asker, Call, Decision, Sampler

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Row:
    """One answer."""

    regime: str
    call: str
    order: int
    answer: str
    """Name of the option; empty where the answer could not be used."""
    outcome: str
    shown_first: str
    """The option that was shown first."""
    model: str
    """As the endpoint returned it."""


def ask_all(file: SamplingFile, store: RecordStore | None = None, progress: Progress | None = None) -> list[Row]:
    """Ask the question in every regime.

    Parameters
    ----------
    file : SamplingFile
    store : RecordStore, optional
        Where answers are kept and looked for; a record answers what it holds, the endpoint the rest.
    progress : callable, optional
        Called with the name of each regime when it is done.

    Raises
    ------
    DecisionError
        The endpoint does not answer, or a regime needs what the model does not give.
    """
    llm = file.llm
    caps = Caps(llm.budget.calls, llm.budget.tokens, llm.budget.money)
    prices = Prices(llm.prices.prompt, llm.prices.completion)
    shared = Shared(store, llm.mode, llm.concurrency, caps, llm.requests_per_minute, llm.tokens_per_minute, file.name)
    client = ChatClient(Access(llm.endpoint, llm.key_env, Patience(llm.retries, llm.timeout / 1e9), prices), shared)
    thread = LoopThread("marketsim audit")
    try:
        return thread.start(_ask_regimes(file, client, progress)).result()
    finally:
        thread.start(client.aclose()).result()
        thread.close()


async def _ask_regimes(file: SamplingFile, client: ChatClient, progress: Progress | None) -> list[Row]:
    rows: list[Row] = []
    for regime in file.regimes:
        rows += await _ask(file, regime, client)
        if progress is not None:
            progress(regime.name)
    return rows


async def _ask(file: SamplingFile, regime: RegimeConfig, client: ChatClient) -> list[Row]:
    """Ask in one regime: as many answers as wanted, in calls or conversations."""
    sampler = Sampler(client, file.llm.model_copy(update={"sampling": regime}), file.llm.model)
    question = Question(file.question.system, file.question.text, [Option(name) for name in file.question.options])
    draws = regime.draws or file.draws
    if regime.regime == "sequential":
        each = max(draws // regime.sessions, 2)
        talks = (_converse(sampler, question, file.seed, regime, talk, each) for talk in range(regime.sessions))
        return [row for rows in await asyncio.gather(*talks) for row in rows]
    per_call = regime.k if regime.regime in ("batch", "n_choices") else 1
    askers = [Asker(file.seed, 0, regime.name, step) for step in range(-(-draws // per_call))]
    decisions = await asyncio.gather(*(sampler.decide(question, asker) for asker in askers))
    rows = []
    for number, decision in enumerate(decisions):
        first = number * per_call if per_call == 1 else 0
        rows += _rows(decision.calls[-1], regime.name, str(number), first)
    return rows


async def _converse(
    sampler: Sampler, question: Question, seed: int, regime: RegimeConfig, talk: int, length: int
) -> list[Row]:
    """Ask one after the other, each time with the earlier answers in view: a conversation counts as a call."""
    rows: list[Row] = []
    history: list[Exchange] = []
    for step in range(length):
        asker = Asker(seed, 0, f"{regime.name}-{talk}", step)
        decision: Decision = await sampler.decide(question, asker, history=history)
        history.append(decision.exchange)
        rows += _rows(decision.calls[-1], regime.name, str(talk), step)
    return rows


def _rows(call: Call, regime: str, name: str, first: int) -> list[Row]:
    """Return the answers of one call."""
    shown_first = call.plan.shown.names[0]
    rows = []
    for place, parsed in enumerate(call.answers):
        answer = str(parsed.value["answer"]) if parsed.value is not None else ""
        rows.append(Row(regime, name, first + place, answer, parsed.outcome, shown_first, call.response.model))
    return rows


def as_table(rows: list[Row]) -> AnswerTable:
    """Return the answers as the audit takes them: regimes as a factor, calls numbered within each."""
    regimes = Factor.of([row.regime for row in rows])
    names = Factor.of([f"{row.regime} {row.call}" for row in rows])
    order = np.array([row.order for row in rows], np.float64)
    return AnswerTable(Factor.of([row.answer for row in rows]), {"regime": regimes}, names.code.astype(np.int64), order)


def audit_sampling(
    file: SamplingFile, store: RecordStore | None = None, progress: Progress | None = None
) -> tuple[Audit, list[Row]]:
    """Ask a question in every regime and audit the answers, regimes side by side.

    Returns
    -------
    (Audit, list of Row)
        What was found, and the answers.

    Raises
    ------
    AnswerDataError
        More than two of the options were given.
    """
    rows = ask_all(file, store, progress)
    audit = audit_table(
        as_table(rows),
        Columns(regime="regime"),
        counted=file.question.one,
        expected=file.question.expected,
        settings=Settings(seed=file.seed),
    )
    return audit, rows


def is_synthetic(file: SamplingFile) -> bool:
    """Whether synthetic respondents answer."""
    return file.llm.endpoint == RESPONDENTS


def record_path(file: SamplingFile) -> Path | None:
    """Where answers are recorded: what the file names; for a real endpoint ``audit-NAME.sqlite`` otherwise."""
    if file.llm.record is not None:
        return file.llm.record
    return None if is_synthetic(file) else Path(f"audit-{file.name}.sqlite")
