"""Judgement of generated order flow: against a reference that is given, or against the teacher of a model.

Rung 0 is what tokens keep, rung 1 bits per event, rung 2 distributions, rung 3 facts of returns, rung 9 what a long
rollout does. With a teacher as the reference a good score says that the model recovers the teacher, and no more.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np

from marketsim.core import rng
from marketsim.core.errors import InputError
from marketsim.exchange.lobster.checks import check_same_rows
from marketsim.exchange.lobster.files import read_book, read_messages
from marketsim.exchange.lobster.layout import LobsterBook, LobsterMessages
from marketsim.exchange.lobster.one_step import one_step_agreement
from marketsim.lmm.checkpoint import Checkpoint
from marketsim.lmm.conditions import condition_vector
from marketsim.lmm.distances import Distance, conditional_distance, distances
from marketsim.lmm.rollout import MINUTE, Rollout, event_rollouts, lobster_of, rollouts, states_of, until_time
from marketsim.lmm.scale import Scale
from marketsim.lmm.scores import SCORES, Flow, conditional_scores, scores
from marketsim.lmm.teacher import Teacher

BLOCKS: Final = 8
"""Blocks into which sessions are cut where there are fewer than so many: the units of the bootstrap."""

MOST_EVENTS: Final = 12_800
"""Events of the longest rollouts that are judged; a hundred times the context of the smallest size is less."""

_FILES: Final = re.compile(r"(.*)_message_(\d+)\.(csv|parquet)")


@dataclass(frozen=True)
class Judgement:
    """What was found.

    Attributes
    ----------
    title : str
        What was compared with what.
    scores : list of dict
        name, value, low, high, floor; also rung, and null: the distance of zero intelligence where it was measured.
    notes : list of str
        What a reader must know.
    """

    title: str
    scores: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, rung: int, found: Distance, null: float | None = None) -> None:
        """Add one score."""
        self.scores.append({"rung": rung, **found._asdict(), **({} if null is None else {"null": null})})


def read_flows(folder: Path) -> list[Flow]:
    """Read every pair of LOBSTER files in a folder, ``X_message_N.csv`` and ``X_orderbook_N.csv``.

    Raises
    ------
    InputError
        There are none, a book is missing, or a file is not LOBSTER.
    """
    names = sorted(path for path in folder.iterdir() if _FILES.fullmatch(path.name)) if folder.is_dir() else []
    if not names:
        raise InputError(folder, 0, "no LOBSTER files", "files such as ACME_message_10.csv and ACME_orderbook_10.csv")
    flows = []
    for path in names:
        book = path.with_name(path.name.replace("_message_", "_orderbook_"))
        if not book.is_file():
            raise InputError(book, 0, "no file", f"the books of {path.name}")
        flow = Flow(read_messages(path), read_book(book))
        check_same_rows(*flow)
        flows.append(flow)
    return flows


def in_blocks(flows: Sequence[Flow], at_least: int = BLOCKS) -> list[Flow]:
    """Cut sessions into contiguous blocks until there are enough units to resample."""
    if len(flows) >= at_least:
        return list(flows)
    parts = -(-at_least // len(flows))
    result = []
    for messages, book in flows:
        edges = np.linspace(0, len(messages), parts + 1).astype(int)
        for first, end in pairwise(edges):
            columns = (column[first:end] for column in messages.columns().values())
            result.append(
                Flow(LobsterMessages(messages.path, *columns), LobsterBook(book.path, book.values[first:end]))
            )
    return result


def compare_flows(judgement: Judgement, generated: Sequence[Flow], reference: Sequence[Flow], null: Any = None) -> None:
    """Add rungs 2 and 3: distributions, conditional ones, and facts of returns."""
    sides = [[scores(flow) for flow in in_blocks(side)] for side in (generated, reference)]
    nulls = None if null is None else [scores(flow) for flow in in_blocks(null)]
    for name in SCORES:
        values = [[one[name] for one in side] for side in sides]
        beside = (
            [None] * 3 if nulls is None else [d.value for d in distances(name, [o[name] for o in nulls], values[1])]
        )
        for found, worse in zip(distances(name, values[0], values[1]), beside, strict=True):
            judgement.add(2, found, worse)
    pairs = [[conditional_scores(flow) for flow in in_blocks(side)] for side in (generated, reference)]
    for name in pairs[0][0]:
        given = [[one[name] for one in side] for side in pairs]
        judgement.add(2, conditional_distance(name, given[0], given[1]))
    for found in compare_facts(*([facts(flow) for flow in in_blocks(side)] for side in (generated, reference))):
        judgement.add(3, found)


# ---- Facts of returns -------------------------------------------------------------------------------------------

FACTS: Final[dict[str, Callable[[Any], float]]] = {
    "return_autocorrelation": lambda r: _correlation(r[1:], r[:-1]),
    "excess_kurtosis": lambda r: float((r**4).mean() / max((r**2).mean(), 1e-30) ** 2 - 3.0),
    "absolute_autocorrelation": lambda r: _correlation(np.abs(r[1:]), np.abs(r[:-1])),
    "skewness": lambda r: float((r**3).mean() / max((r**2).mean(), 1e-30) ** 1.5),
    "aggregated_kurtosis": lambda r: FACTS["excess_kurtosis"](_aggregated(r, 10)),
    "leverage": lambda r: _correlation(r[:-1], np.abs(r[1:])),
    "return_deviation": lambda r: float(r.std()),
}
"""Facts of mid returns over a second, as far as minutes of events can show them."""


def facts(flow: Flow) -> dict[str, float]:
    """Return the facts of one session; returns are differences of the logarithm of the mid, by the second."""
    ask, bid = flow.book.prices(-1)[:, 0], flow.book.prices(1)[:, 0]
    whole = (flow.book.sizes(-1)[:, 0] > 0) & (flow.book.sizes(1)[:, 0] > 0)
    time, mid = flow.messages.time_ns[whole], 0.5 * (ask + bid)[whole]
    if len(time) < 2:
        return {}
    seconds = np.arange(time[0], time[-1], 1_000_000_000)
    path = np.log(mid[np.searchsorted(time, seconds, "right") - 1])
    returns = np.diff(path)
    if len(returns) < 20:
        return {}
    returns = returns - returns.mean()
    return {name: fact(returns) for name, fact in FACTS.items()}


def compare_facts(generated: Sequence[dict[str, float]], reference: Sequence[dict[str, float]]) -> list[Distance]:
    """Return for each fact the difference of means over sessions, its 95 % interval and the reference's own noise."""
    found = []
    for name in FACTS:
        sides = [np.array([one[name] for one in side if name in one]) for side in (generated, reference)]
        if min(map(len, sides)) < 2:
            continue
        value = float(sides[0].mean() - sides[1].mean())
        error = float(np.sqrt(sum(side.var(ddof=1) / len(side) for side in sides)))
        floor = float(np.sqrt(4 * sides[1].var(ddof=1) / len(sides[1])) * np.sqrt(2 / np.pi))
        found.append(Distance(f"{name}/difference", value, value - 1.96 * error, value + 1.96 * error, floor))
    return found


def _correlation(x: Any, y: Any) -> float:
    deviation = x.std() * y.std()
    return float(((x - x.mean()) * (y - y.mean())).mean() / deviation) if deviation > 0 else 0.0


def _aggregated(returns: Any, n: int) -> Any:
    return returns[: len(returns) // n * n].reshape(-1, n).sum(1)


# ---- A folder ---------------------------------------------------------------------------------------------------


def judge_folder(generated: Path, reference: Path) -> Judgement:
    """Judge a folder of generated LOBSTER files against one of real or other files.

    Raises
    ------
    InputError
        A folder has no LOBSTER files, or one of them is damaged.
    """
    judgement = Judgement(f"{generated} against {reference}")
    flows, real = read_flows(generated), read_flows(reference)
    for flow in flows:
        agrees = one_step_agreement(*flow)
        judgement.add(0, _exact(f"one_step/{flow.messages.path.name}", float(agrees.mean()) if len(agrees) else 1.0))
    judgement.add(9, _exact("one_sided/share", float(np.mean([_one_sided(flow) for flow in flows]))))
    if len(real) < BLOCKS:
        judgement.notes.append(
            f"The reference has {len(real)} sessions: they are cut into blocks, whose intervals are too narrow."
        )
    compare_flows(judgement, flows, real)
    return judgement


def _exact(name: str, value: float) -> Distance:
    return Distance(name, value, value, value, value)


def _one_sided(flow: Flow) -> float:
    return float(((flow.book.sizes(-1)[:, 0] == 0) | (flow.book.sizes(1)[:, 0] == 0)).mean())


# ---- A model and its teacher ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Budget:
    """How much is played for a judgement of a model.

    Attributes
    ----------
    books : int
        Books of the model, and of the teacher.
    minutes : float
        Simulated minutes of each.
    seed : int
        Of the model's draws; the teacher's come from one of their own.
    """

    books: int = 48
    minutes: float = 3.0
    seed: int = 1


def judge_model(
    model: Checkpoint,
    budget: Budget,
    reference: Path | None = None,
    report: Callable[[str], None] = lambda text: None,
) -> Judgement:
    """Judge a model against files, or against the teachers that its card names.

    Raises
    ------
    InputError
        Without a reference, the model was not trained on teachers.
    """
    judgement = Judgement(str(model.folder))
    for name, bits in model.card.get("figures", {}).get("bits", {}).items():
        judgement.add(1, _exact(f"bits_per_event/{name.replace(' ', '_')}", bits["sum"]))
    for name, value in model.card.get("figures", {}).items():
        if name.startswith("share"):
            judgement.add(1, _exact(name.replace(" ", "_"), value))
    duration = int(budget.minutes * MINUTE)
    if reference is not None:
        report("playing the model")
        played = rollouts(model, budget.books, duration, budget.seed)
        report("comparing")
        compare_flows(judgement, list(_flows(played, model)), read_flows(reference))
        return judgement
    source = model.card.get("data", {})
    if source.get("kind") != "teacher":
        raise InputError(model.folder, 0, "a model of recorded data", "--reference FOLDER to compare it with")
    for name in dict.fromkeys(each["name"] for each in source["teachers"]):
        _judge_teacher(judgement, model, budget, name, duration, report)
    if len({each["volatility"] for each in source["teachers"]}) > 1:
        report("volatility target")
        for name in dict.fromkeys(each["name"] for each in source["teachers"]):
            _judge_volatility(judgement, model, budget, name, duration)
    judgement.notes.append("The reference is a teacher: a good score says that the model recovers it, and no more.")
    return judgement


def _judge_teacher(
    judgement: Judgement, model: Checkpoint, budget: Budget, name: str, duration: int, report: Callable[[str], None]
) -> None:
    report(f"playing the model as {name}")
    played = rollouts(model, budget.books, duration, budget.seed, condition_vector(name))
    report(f"playing the teacher {name}")
    truth = teacher_rollouts(model, name, 1.0, budget.books, duration)
    null = None
    if name != "zero_intelligence":
        null = list(_flows(teacher_rollouts(model, "zero_intelligence", 1.0, budget.books, duration), model))
    report(f"comparing with {name}")
    part = Judgement("")
    compare_flows(part, list(_flows(played, model)), list(_flows(truth, model)), null)
    report(f"long rollouts as {name}")
    n_events = min(100 * model.shape.window, MOST_EVENTS)
    long = event_rollouts(model, budget.books, n_events, budget.seed + 1, condition_vector(name))
    longest = teacher_event_rollouts(model, name, budget.books, n_events)
    for found in compare_rollouts(long, longest, (model.shape.window, 10 * model.shape.window, n_events), model.scale):
        part.add(9, found)
    judgement.scores.extend({**score, "name": f"{name}/{score['name']}"} for score in part.scores)


def teacher_rollouts(
    model: Checkpoint, name: str, volatility: float, n_books: int, duration: int, seed: int = 2
) -> list[Rollout]:
    """Return books of a teacher over some time, in the bins of a model."""
    teacher = Teacher(name, n_books, model.scale, 1_000_003 * seed + 17, volatility)
    return until_time(teacher.depth.copy(), teacher.quote.copy(), lambda n: teacher.next(n).record, duration)


def teacher_event_rollouts(model: Checkpoint, name: str, n_books: int, n_events: int) -> list[Rollout]:
    """Return books of a teacher over so many events each."""
    teacher = Teacher(name, n_books, model.scale, 5_000_011)
    depth, quote = teacher.depth.copy(), teacher.quote.copy()
    return [Rollout(*one) for one in zip(depth, quote, teacher.next(n_events).record, strict=True)]


def _flows(played: Sequence[Rollout], model: Checkpoint) -> Iterator[Flow]:
    for rollout in played:
        yield Flow(*lobster_of(rollout, model.scale))


def compare_rollouts(
    played: Sequence[Rollout], truth: Sequence[Rollout], horizons: Sequence[int], scale: Scale
) -> list[Distance]:
    """Return what long rollouts do, as ratios to the teacher: wide spreads, one-sided books, time between events.

    Each over the first so many events, for each of ``horizons``. Nothing is said of one-sided books where the teacher
    has them in less than a hundredth of events. The interval is a bootstrap over
    books; the floor is what two halves of the teacher differ by, as a ratio less one.
    """
    found: list[Distance] = []
    sides = [[states_of(rollout, scale) for rollout in side] for side in (played, truth)]
    for last in horizons:
        for place, name in enumerate(("wide_spread", "one_sided", "mean_gap")):
            rows = [np.array([one[:last, place].mean() for one in side]) for side in sides]
            if place == 1 and rows[1].mean() < 0.01:
                continue
            found.append(ratio(f"{name}_ratio_up_to_{last}_events", rows[0], rows[1]))
    return found


def ratio(name: str, generated: Any, reference: Any, seed: int = 1) -> Distance:
    """Return the ratio of means with a 95 % bootstrap interval over books; floor: of two halves, less one."""
    draws = rng.generator(rng.stream_key(seed, 0, "lmm", name, "bootstrap"), 0, 0)
    below = max(float(reference.mean()), 1e-12)
    repeats = [
        generated[draws.integers(0, len(generated), len(generated))].mean()
        / max(float(reference[draws.integers(0, len(reference), len(reference))].mean()), 1e-12)
        for _ in range(1000)
    ]
    low, high = np.quantile(repeats, (0.025, 0.975))
    halves = []
    for _ in range(200):
        order = draws.permutation(len(reference))
        one, other = reference[order[: len(order) // 2]].mean(), reference[order[len(order) // 2 :]].mean()
        halves.append(abs(one / max(float(other), 1e-12) - 1))
    return Distance(name, float(generated.mean()) / below, float(low), float(high), float(np.mean(halves)))


def _judge_volatility(judgement: Judgement, model: Checkpoint, budget: Budget, name: str, duration: int) -> None:
    """Add the ratio of realised volatility at a target of 1.4 to that at 0.7, of the model and of the teacher."""
    targets = (0.7, 1.4)
    played = [rollouts(model, budget.books, duration, budget.seed, condition_vector(name, v)) for v in targets]
    truth = [teacher_rollouts(model, name, v, budget.books, duration) for v in targets]
    for what, sides in (("model", played), ("teacher", truth)):
        moves = [np.array([_volatility(flow) for flow in _flows(side, model)]) for side in sides]
        found = ratio(f"{name}/realised_volatility_1.4_to_0.7/{what}", moves[1], moves[0])
        judgement.add(2, found)


def _volatility(flow: Flow) -> float:
    return facts(flow).get("return_deviation", 0.0)


__all__ = ["Budget", "Judgement", "judge_folder", "judge_model", "read_flows"]
