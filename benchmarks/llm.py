"""What asking a language model costs beside the model: per call, per round of a thousand agents, in replay, in memory.

    python benchmarks/llm.py [ROUNDS] [--calls N] [--memory-calls N]

The endpoint is the loopback server of respondents in a process of its own, so that its work is not counted. Rounds are
interleaved: what slows the machine slows the bare client and ours. Sleeping answers cost no processor time.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import openai

import marketsim
from marketsim.llm import Access, ChatClient, ChatRequest, RecordStore, Shared

CONCURRENCY = 64
TEXT = "Say a word. " * 40

AGENTS = """
name = "thousand"
duration = "30s"

[[exchange.instruments]]
symbol = "ACME"
open_price = "100.00"

[[exchange.populations]]
kind = "zero_intelligence"
count = 50

[llm]
concurrency = 64

[[agents]]
kind = "llm_trader"
count = 1000
period = "{period}"
decision_latency = "{latency}"
trades = 0
"""


@contextmanager
def server(delay_s: float = 0.0) -> Iterator[str]:
    """Serve respondents from a process of its own; yield the address."""
    words = ["respondents", "serve", "--delay", str(delay_s)]
    process = subprocess.Popen([sys.executable, "-m", "marketsim.cli.main", *words], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait()


def requests(first: int, n: int) -> list[ChatRequest]:
    return [ChatRequest("echo", [{"role": "user", "content": f"{TEXT}{number}"}]) for number in range(first, first + n)]


def bare(address: str, calls: list[ChatRequest]) -> tuple[float, float]:
    """Wall and processor seconds per call of the library alone."""

    async def everything() -> None:
        slots = asyncio.Semaphore(CONCURRENCY)
        async with openai.AsyncOpenAI(base_url=address, api_key="none", max_retries=0) as client:

            async def one(request: ChatRequest) -> None:
                async with slots:
                    await client.chat.completions.create(model=request.model, messages=list(request.messages))

            await asyncio.gather(*(one(request) for request in calls))

    return timed(lambda: asyncio.run(everything()), len(calls))


def ours(address: str, calls: list[ChatRequest], file: Path) -> tuple[float, float]:
    """The same through key, record, budget, retry layer and parser."""
    with RecordStore(file) as store, ChatClient(Access(address), Shared(store, concurrency=CONCURRENCY)) as client:
        return timed(lambda: client.ask_all([(request, 0) for request in calls]), len(calls))


def timed(work: object, n: int) -> tuple[float, float]:
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    work()  # type: ignore[operator]
    return (time.perf_counter() - wall) / n, (time.process_time() - cpu) / n


def overhead(rounds: int, n: int, folder: Path) -> None:
    found: dict[str, list[tuple[float, float]]] = {"bare": [], "ours": []}
    with server() as address:
        bare(address, requests(0, 200))
        for number in range(rounds):
            calls = requests(n * number, n)
            found["bare"].append(bare(address, calls))
            found["ours"].append(ours(address, calls, folder / f"overhead-{number}.sqlite"))
    for kind in ("wall", "processor"):
        place = int(kind == "processor")
        medians = {name: statistics.median(each[place] for each in rows) * 1e3 for name, rows in found.items()}
        extra = [(o[place] - b[place]) * 1e3 for b, o in zip(found["bare"], found["ours"], strict=True)]
        print(
            f"call at concurrency {CONCURRENCY}, {kind}: bare {medians['bare']:.2f} ms, ours {medians['ours']:.2f} ms, "
            f"more by {statistics.median(extra):.2f} ms ({min(extra):.2f} to {max(extra):.2f})"
        )


def thousand(folder: Path) -> None:
    """1,000 agents, each with one decision of a second: 16 rounds at concurrency 64."""
    file = folder / "thousand.toml"
    file.write_text(AGENTS.format(period="14s", latency="10s"))
    marketsim.run(file, overrides={"duration": "1s"}, out=folder / "warm")
    with server(1.0) as address:
        more = [f"llm.endpoint={address}", "llm.model=trader", "duration=24s"]
        run = marketsim.run(file, overrides=more, out=folder / "thousand")
    calls = run.counts["llm/calls"]
    rounds = -(-calls // CONCURRENCY)
    share = run.seconds / rounds
    print(
        f"{calls:,} decisions of 1 s at concurrency {CONCURRENCY}: {run.seconds:.2f} s, {share:.3f} of {rounds} rounds"
    )


def replay(rounds: int, folder: Path) -> None:
    file = folder / "thousand.toml"
    file.write_text(AGENTS.format(period="4s", latency="1s"))
    asked = marketsim.run(file, out=folder / "asked")
    record = folder / "asked" / "llm" / "record.sqlite"
    rates, fewer = [], []
    for number in range(rounds):
        keys = ["llm.mode=replay", f"llm.record={record}"]
        run = marketsim.run(file, overrides=keys, out=folder / f"replay-{number}")
        assert run.digest == asked.digest
        rates.append(run.counts["llm/calls"] / run.seconds)
        with RecordStore(record, read_only=True) as store:
            client = ChatClient(shared=Shared(store, mode="replay"))
            drawn = [entry for entry, _ in zip(store.entries(), range(3000), strict=False)]
            calls = [(rebuilt(entry.request), entry.draw) for entry in drawn]
            with client:
                fewer.append(1.0 / timed(lambda calls=calls, client=client: client.ask_all(calls), len(calls))[0])
    print(
        f"replay: {statistics.median(rates):,.0f} decisions/s in a market ({min(rates):,.0f} to {max(rates):,.0f}), "
        f"{statistics.median(fewer):,.0f}/s through the client alone"
    )


def rebuilt(request: dict) -> ChatRequest:
    names = ("model", "messages", "parameters", "schema")
    return ChatRequest(*(request[name] for name in names), api=request["endpoint"], extra=request["extra"])


def memory(n: int, folder: Path) -> None:
    marks = []
    with (
        server() as address,
        RecordStore(folder / "memory.sqlite") as store,
        ChatClient(Access(address), Shared(store, concurrency=CONCURRENCY)) as client,
    ):
        for first in range(0, n, n // 5):
            for part in range(first, first + n // 5, 1000):
                client.ask_all([(request, 0) for request in requests(part, min(1000, n // 5))])
            gc.collect()
            marks.append(resident_mb())
    text = ", ".join(f"{mark:.1f}" for mark in marks)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"memory over {n:,} calls, MB after each fifth: {text}; peak {peak:.1f}")


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("rounds", nargs="?", type=int, default=5)
    parser.add_argument("--calls", type=int, default=1000)
    parser.add_argument("--memory-calls", type=int, default=20_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        overhead(options.rounds, options.calls, folder)
        thousand(folder)
        replay(options.rounds, folder)
        memory(options.memory_calls, folder)


if __name__ == "__main__":
    main()
