"""What a generated order costs: orders per CPU-second of both backends, the loop around the network, the cache.

    python benchmarks/lmm.py [ROUNDS] [--size ci|small]

Every round measures everything once, so that what slows the machine slows all of it; lowest, median and highest of CPU
time, one thread. Weights of ``ci`` are those of models/ci; other sizes are drawn, which costs the same.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from marketsim.lmm.checkpoint import Checkpoint, load_checkpoint
from marketsim.lmm.conditions import condition_vector
from marketsim.lmm.kernel import network
from marketsim.lmm.model import OrderModel
from marketsim.lmm.pool import Pool
from marketsim.lmm.sizes import SIZES
from marketsim.lmm.teacher import Teacher
from marketsim.lmm.torch_pool import TorchPool
from marketsim.lmm.training import model_from

MODEL = Path(__file__).parent.parent / "models" / "ci"


def checkpoint(size: str) -> tuple[Checkpoint, OrderModel]:
    """A model of a size on both backends."""
    shipped = load_checkpoint(MODEL)
    if size == "ci":
        return shipped, model_from(MODEL)
    means = torch.from_numpy(shipped.arrays["feature_mean"]), torch.from_numpy(shipped.arrays["feature_scale"])
    model = OrderModel(SIZES[size], *means, torch.Generator().manual_seed(1)).requires_grad_(False)
    arrays = {name: value.numpy() for name, value in model.state_dict().items()}
    return shipped._replace(shape=SIZES[size], arrays=arrays), model


def pools(found: Checkpoint, model: OrderModel, n_books: int) -> list[Pool]:
    """Both backends on the same books after a full window of context."""
    teacher = Teacher("hawkes", n_books, found.scale, 5)
    told = np.tile(condition_vector("hawkes"), (n_books, 1))
    books = teacher.depth.copy(), teacher.quote.copy(), told, 3
    record = teacher.next(found.shape.window + 4).record
    result = [Pool(found, *books), TorchPool(found, model, *books)]
    for pool in result:
        pool.watch(record)
    return result


def matrices(pool: Pool) -> None:
    """The network alone: the decoder and the matrices of the heads, no draws, no book."""
    weights, state, work = pool._weights, pool.state, pool.work
    network.decode(weights, state, work)
    network.product(state.hidden, weights.gap_write, work.gap_logits)
    gap, none = state.next_gap, work.choice
    for head, x, logits in (
        (weights.kind_head, state.hidden, work.kind_logits),
        (weights.price_head, work.own, work.price_logits),
        (weights.size_head, work.own, work.size_logits),
    ):
        network.product(x, head.read, work.inner)
        network.product(work.inner, head.write, logits)
    assert gap.size == none.size


@torch.inference_mode()
def recompute(model: OrderModel, n_books: int, window: int) -> None:
    """One event of every book without a cache: a full pass over the window."""
    model(
        torch.zeros(n_books, window + 1, 4, dtype=torch.long),
        torch.zeros(n_books, window + 2, 28),
        torch.zeros(n_books, 5),
    )


def rate(n_orders: int, work: Callable[[], Any]) -> float:
    """Orders per CPU-second."""
    begun = time.process_time()
    work()
    return n_orders / (time.process_time() - begun)


def measure(size: str, rounds: int) -> None:
    """Print one line a quantity and width."""
    found, model = checkpoint(size)
    for n_books in (1, 16, 64):
        numba, torch_pool = pools(found, model, n_books)
        n = max(8, (3000 if size == "ci" else 600) // n_books)
        jobs: dict[str, tuple[int, Callable[[], Any]]] = {
            "Numba, whole loop": (n_books * n, lambda pool=numba, n=n: pool.advance(n)),  # type: ignore[misc]
            "Numba, network alone": (n_books * n, lambda pool=numba, n=n: [matrices(pool) for _ in range(n)]),  # type: ignore[misc]
            "PyTorch, whole loop": (n_books * n, lambda pool=torch_pool, n=n: pool.advance(n)),  # type: ignore[misc]
            "PyTorch, window recomputed": (n_books, lambda b=n_books: recompute(model, b, found.shape.window)),  # type: ignore[misc]
        }
        for _, work in jobs.values():
            work()  # compiled and warm before the first round
        rates = [[rate(*job) for job in jobs.values()] for _ in range(rounds)]
        for name, (low, middle, high) in zip(jobs, np.quantile(rates, (0, 0.5, 1), axis=0).T, strict=True):
            sys.stdout.write(f"{size:6} B = {n_books:<3} {name:27} {low:>10,.0f} {middle:>10,.0f} {high:>10,.0f}\n")
        table = np.array(rates)
        ratios = np.median(table[:, [0, 0]] / table[:, [1, 3]], axis=0)
        beside = 1e6 * np.median(1 / table[:, 0] - 1 / table[:, 1])
        if n_books > 1:  # one book is played faster than Python calls the parts of the network one by one
            line = f"loop / network {ratios[0]:.2f}, draws, masks and books {beside:.2f} us an order, "
        else:
            line = ""
        sys.stdout.write(f"{size:6} B = {n_books:<3} {line}cached / recomputed {ratios[1]:.0f}\n")


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("rounds", nargs="?", type=int, default=5)
    parser.add_argument("--size", choices=["ci", "small"], default="ci")
    options = parser.parse_args()
    torch.set_num_threads(1)
    measure(options.size, options.rounds)


if __name__ == "__main__":
    main()
