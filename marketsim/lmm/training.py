"""Training of the order model on prepared data: one process, exact resume, figures beside baselines and the truth.

A run of training is a function of its configuration: weights, windows and dropout are drawn at addresses (seed, step),
so that one that was interrupted and resumed ends with the same bytes as one that was not (on one machine and build).
"""

from __future__ import annotations

import json
import math
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
import torch
from torch import nn

from marketsim.core import rng
from marketsim.core.errors import InputError, MarketSimError
from marketsim.lmm.baselines import baseline_bits, share_closed
from marketsim.lmm.checkpoint import (
    WEIGHTS,
    check_sizes,
    load_checkpoint,
    read_tensors,
    save_checkpoint,
    write_tensors,
)
from marketsim.lmm.events import BLOCK, CONDITIONS, FIELDS
from marketsim.lmm.model import OrderModel, feature_scales, losses
from marketsim.lmm.rollout import write_contexts
from marketsim.lmm.shards import Shards
from marketsim.lmm.sizes import SIZES
from marketsim.lmm.teacher import Batch

STATE: Final = "training.safetensors"
LOSSES: Final = "loss.csv"

SKIP: Final = 32
"""Events at the beginning of a window that no figure counts: they have little context."""


class TrainingError(MarketSimError):
    """The loss is no number any more; the last good model is kept."""


@dataclass(frozen=True)
class TrainingConfig:
    """How a model is trained.

    Attributes
    ----------
    size : str
        One of ``sizes.SIZES``.
    steps : int
        Steps of the optimiser.
    books, events : int
        Windows of a step and events of a window, one more being read.
    rate : float
        Learning rate after 50 steps of warm-up; it falls in a straight line over the last 30 %.
    seed : int
        Of weights, windows and dropout.
    drop_condition : float
        Share of windows that are not told their conditions.
    every : int
        Steps between two validations, each of which saves the state.
    """

    size: str = "ci"
    steps: int = 4000
    books: int = 32
    events: int = BLOCK
    rate: float = 4e-3
    seed: int = 1
    drop_condition: float = 0.1
    every: int = 200


@dataclass(frozen=True)
class Progress:
    """What is told after each step."""

    step: int
    steps: int
    loss: float
    """Bits per event of the step's windows."""
    validation: float | None
    """Bits per event of the validation split, where it was measured."""


class Training:
    """One run of training.

    Parameters
    ----------
    config : TrainingConfig
        How.
    data : Shards
        What on.
    folder : Path
        Where model, card, loss curve and state go.
    resume : bool
        Go on from the state in ``folder``.

    Raises
    ------
    InputError
        The data are too short for a window, or the state to resume is missing, damaged, or of another configuration.
    """

    def __init__(self, config: TrainingConfig, data: Shards, folder: Path, resume: bool = False) -> None:
        self.config, self.data, self.folder, self.step = config, data, folder, 0
        self.shape = SIZES[config.size]
        self.windows = data.windows("train", config.events + 1)
        data.windows("validation", config.events + 1)
        sample = data.batch(self.windows[np.linspace(0, len(self.windows) - 1, 256).astype(int)], config.events + 1)
        generator = torch.Generator().manual_seed(
            int(rng.stream_key(config.seed, 0, "lmm", "train", "weights")[0] >> 1)
        )
        self.model = OrderModel(self.shape, *feature_scales(sample.feature), generator)
        matrices = [p for p in self.model.parameters() if p.dim() == 2]
        others = [p for p in self.model.parameters() if p.dim() < 2]
        groups = [{"params": matrices, "weight_decay": 0.05}, {"params": others, "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, lr=config.rate, betas=(0.9, 0.95), foreach=True)
        self.seconds = 0.0
        if resume:
            self._restore()

    # ---- The loop -----------------------------------------------------------------------------------------------

    def run(self, report: Callable[[Progress], None] = lambda progress: None) -> bool:
        """Train to the end, or until Ctrl-C; return whether the end was reached. The state is saved in both cases.

        Raises
        ------
        TrainingError
            The loss is not finite. Model and state are those of the last validation.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with _interruptible() as interrupted:
            begun = time.process_time()
            while self.step < self.config.steps and not interrupted:
                loss = self._train_step()
                self.step += 1
                validation = None
                if self.step % self.config.every == 0 or self.step == self.config.steps:
                    validation = self.validation_bits(512)
                    self.seconds += time.process_time() - begun
                    begun = time.process_time()
                    self._note(loss, validation)
                    self.save()
                report(Progress(self.step, self.config.steps, loss, None if validation is None else validation.sum()))
            self.seconds += time.process_time() - begun
        if self.step < self.config.steps:
            self.save()
        return self.step >= self.config.steps

    def _train_step(self) -> float:
        config, step = self.config, self.step
        batch = self.data.draw(self.windows, config.books, config.events + 1, config.seed, step)
        draws = rng.generator(rng.stream_key(config.seed, 0, "lmm", "train", "conditions"), step, 0)
        told = draws.random(config.books) >= config.drop_condition
        batch = batch._replace(condition=batch.condition * told[:, None].astype(np.float32))
        for group in self.optimizer.param_groups:
            group["lr"] = config.rate * min(1.0, (step + 1) / 50, max(0.02, (1 - step / config.steps) / 0.3))
        loss = torch.stack([field.mean() for field in losses(self.model, batch)]).sum()
        if not torch.isfinite(loss):
            raise TrainingError(
                f"{self.folder}: found a loss of {loss.item()} at step {step + 1}; the model kept there is the last "
                f"good one, of step {step // config.every * config.every}: try a smaller --rate"
            )
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        return loss.item() / math.log(2)

    def validation_bits(self, most: int, split: str = "validation") -> Any:
        """Return bits per event and field of a split, float64[field]; at most so many windows."""
        bits, _ = bits_per_window(self.model, self.data.passes(split, 64, self.config.events + 1, most))
        return bits.mean(0)

    # ---- State --------------------------------------------------------------------------------------------------

    def save(self) -> None:
        """Write weights and the optimiser's memory, from which ``resume`` goes on."""
        arrays = {f"model.{name}": value.numpy() for name, value in self.model.state_dict().items()}
        names = {parameter: name for name, parameter in self.model.named_parameters()}
        for parameter, memory in self.optimizer.state.items():
            for key, value in memory.items():
                arrays[f"optimizer.{names[cast(nn.Parameter, parameter)]}.{key}"] = value.numpy()
        about = {**asdict(self.config), "bins": self.data.scale.digest()}
        metadata = {"config": json.dumps(about), "step": str(self.step), "seconds": repr(self.seconds)}
        write_tensors(self.folder / STATE, arrays, metadata)

    def _restore(self) -> None:
        path = self.folder / STATE
        if not path.is_file():
            raise InputError(path, 0, "no file", "the state that an interrupted training leaves")
        arrays, metadata = read_tensors(path)
        about = {**asdict(self.config), "bins": self.data.scale.digest()}
        found = json.loads(metadata["config"])
        for key, value in about.items():
            if found.get(key) != value:
                raise InputError(path, 0, f"a training with {key} {found.get(key)}", f"{value}, as asked for")
        weights = {name.removeprefix("model."): a for name, a in arrays.items() if name.startswith("model.")}
        check_sizes(path, weights, self.shape)
        self.model.load_state_dict({name: torch.from_numpy(array) for name, array in weights.items()})
        for name, parameter in self.model.named_parameters():
            memory = {
                key: torch.from_numpy(arrays[f"optimizer.{name}.{key}"]) for key in ("step", "exp_avg", "exp_avg_sq")
                if f"optimizer.{name}.{key}" in arrays
            }  # fmt: skip
            if memory:
                self.optimizer.state[parameter] = memory
        self.step, self.seconds = int(metadata["step"]), float(metadata["seconds"])

    def _note(self, loss: float, validation: Any) -> None:
        path = self.folder / LOSSES
        if self.step <= self.config.every or not path.exists():
            path.write_text("step,cpu_seconds,train_bits," + ",".join(f"validation_{f}" for f in FIELDS) + "\n")
        kept = [line for line in path.read_text().splitlines()[1:] if int(line.split(",")[0]) < self.step]
        row = f"{self.step},{self.seconds:.1f},{loss:.5f}," + ",".join(f"{bits:.5f}" for bits in validation)
        path.write_text("\n".join([path.read_text().splitlines()[0], *kept, row]) + "\n")

    def finish(self, command: str, half: bool = False) -> dict[str, Any]:
        """Write the model, its card with figures on the test split, and beginnings of rollouts; return the card."""
        arrays = {name: value.numpy() for name, value in self.model.state_dict().items()}
        card: dict[str, Any] = {
            "size": self.config.size,
            "parameters": sum(p.numel() for p in self.model.parameters()),
            "training": asdict(self.config),
            "cpu_seconds": round(self.seconds, 1),
            "command": command,
            "data": self.data.source,
            "data_events": self.data.manifest["events"],
            "figures": {},
        }
        save_checkpoint(self.folder, arrays, self.shape, self.data.scale, card, half)
        model = model_from(self.folder)  # the figures are those of the weights as written
        card["figures"] = figures_of_test(model, self.data, self.config.events)
        card["figures_by_condition"] = figures_by_condition(model, self.data, self.config.events)
        save_checkpoint(self.folder, arrays, self.shape, self.data.scale, card, half)
        write_contexts(self.folder, self.data)
        return card


def model_from(folder: Path) -> OrderModel:
    """Return the PyTorch model of a folder; errors as ``load_checkpoint``."""
    found = load_checkpoint(folder)
    arrays = {name: torch.from_numpy(np.array(array)) for name, array in found.arrays.items()}
    model = OrderModel(found.shape, arrays["feature_mean"], arrays["feature_scale"])
    model.load_state_dict(arrays)
    return model.requires_grad_(False)


@torch.inference_mode()
def bits_per_window(model: OrderModel, batches: Iterator[Batch], skip: int = SKIP) -> tuple[Any, Any]:
    """Return mean bits per event of each window and field, and what a teacher has: float64[window, field] or None."""
    found, truth = [], []
    for batch in batches:
        loss = torch.stack(losses(model, batch), -1).double().numpy()
        found.append(loss[:, skip:].mean(1) / math.log(2))
        if batch.log_chance is not None:
            truth.append(-batch.log_chance[:, 1 + skip :].mean(1) / math.log(2))
    return np.concatenate(found), np.concatenate(truth) if len(truth) == len(found) else None


def fields_below(bits: Any, truth: Any, errors: float = 4.0) -> list[str]:
    """Return the fields in which a model beats the truth by more than so many standard errors: it saw the future.

    Parameters
    ----------
    bits, truth : float64 array, shape (window, field)
        From ``bits_per_window``.
    errors : float
        Standard errors of the mean over windows.
    """
    excess = bits - truth
    limit = -errors * excess.std(0, ddof=1) / math.sqrt(len(excess))
    return [name for name, mean, bound in zip(FIELDS, excess.mean(0), limit, strict=True) if mean < bound]


def figures_of_test(model: OrderModel, data: Shards, n_events: int, most: int = 2048) -> dict[str, Any]:
    """Return bits per event and field on the test split, of the model, the baselines and, where known, the teacher."""
    bits, truth = bits_per_window(model, data.passes("test", 64, n_events + 1, most))
    figures: dict[str, Any] = {"windows": len(bits), "bits": {"model": _by_field(bits.mean(0))}}
    test = _joined(data.passes("test", 256, n_events + 1, most))
    train = _joined(data.passes("train", 256, n_events + 1, 8 * most))
    baselines = baseline_bits(train, test)
    figures["bits"] |= {name: _by_field(row) for name, row in baselines.items() if name != "teacher"}
    if truth is not None:
        figures["bits"]["teacher"] = _by_field(truth.mean(0))
        figures["fields_below_teacher"] = fields_below(bits, truth)
        teacher = baselines["teacher"]
        excess = (bits - truth).mean(0)
        for name in ("chained Markov", "masked unigram"):
            figures[f"share closed from {name}"] = round(share_closed(teacher + excess, baselines[name], teacher), 4)
    return figures


def figures_by_condition(model: OrderModel, data: Shards, n_events: int, most: int = 1024) -> dict[str, Any]:
    """Return the figures of each condition by itself, baselines fitted on it alone; empty where there is only one."""
    conditions = data.conditions()
    if len(conditions) < 2:
        return {}
    return {name_of(one): figures_of_test(model, data.told(one), n_events, most) for one in conditions}


def name_of(condition: tuple[float, ...]) -> str:
    """Return a condition in words, such as ``hawkes, volatility 1.4``."""
    regime = CONDITIONS[1 + int(np.argmax(condition[1:4]))] if condition[0] else "unknown"
    return f"{regime}, volatility {math.exp(condition[-1]):.3g}"


def _joined(batches: Iterator[Batch]) -> Batch:
    parts = list(batches)
    arrays = [np.concatenate([part[place] for part in parts]) for place in range(4)]
    chance = [part.log_chance for part in parts if part.log_chance is not None]
    return Batch(
        arrays[0], arrays[1], arrays[2], arrays[3], np.concatenate(chance) if len(chance) == len(parts) else None
    )


def _by_field(bits: Any) -> dict[str, float]:
    return {
        **{name: round(float(x), 4) for name, x in zip(FIELDS, bits, strict=True)},
        "sum": round(float(bits.sum()), 4),
    }


@contextmanager
def _interruptible() -> Iterator[list[int]]:
    """Yield a list that holds the signal once Ctrl-C was pressed; a second one interrupts at once."""
    seen: list[int] = []

    def note(number: int, frame: Any) -> None:
        if seen:
            raise KeyboardInterrupt
        seen.append(number)

    try:
        before = signal.signal(signal.SIGINT, note)
    except ValueError:  # not in the main thread: somebody else minds Ctrl-C
        yield seen
        return
    try:
        yield seen
    finally:
        signal.signal(signal.SIGINT, before)


__all__ = [
    "WEIGHTS",
    "Progress",
    "Training",
    "TrainingConfig",
    "TrainingError",
    "bits_per_window",
    "fields_below",
    "figures_of_test",
    "model_from",
]
