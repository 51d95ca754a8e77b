"""What ``marketsim audit sampling`` does: reads the file, asks, and says where answers came from."""

from __future__ import annotations

import csv
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from marketsim.core.errors import Fault, ScenarioError

if TYPE_CHECKING:
    from marketsim.analysis.bias import Audit
    from marketsim.lab.sampling import Row
    from marketsim.lab.sampling_file import SamplingFile


@dataclass(frozen=True)
class Overrides:
    """Options that change what the file says; None leaves it."""

    endpoint: str | None
    model: str | None
    key_env: str | None
    draws: int | None
    seed: int | None

    def apply(self, file: SamplingFile) -> SamplingFile:
        """Return the file with the options in it.

        Raises
        ------
        ScenarioError
            An option has a value that the file could not have either.
        """
        from pydantic import ValidationError

        from marketsim.llm.config import LlmConfig

        chosen = {name: value for name, value in asdict(self).items() if value is not None}
        llm = {name: chosen.pop(name) for name in ("endpoint", "model", "key_env") if name in chosen}
        try:
            asked = LlmConfig.model_validate({**{k: getattr(file.llm, k) for k in file.llm.model_fields_set}, **llm})
        except ValidationError as error:
            first = error.errors()[0]
            option = "--" + str(first["loc"][0]).replace("_", "-")
            expected = str(first["msg"]).removeprefix("Value error, ").removeprefix("expected ")
            raise ScenarioError([Fault(option, 0, "", str(first["input"]), expected)]) from None
        return file.model_copy(update={"llm": asked, **chosen})


def run_sampling(path: Path, overrides: Overrides, table: Path | None) -> tuple[Audit, dict[str, Any], bool]:
    """Ask and audit; return what was found, the provenance, and whether it is synthetic."""
    from marketsim.cli.answer_table import sha256_of
    from marketsim.lab import audit_sampling, load_sampling
    from marketsim.lab.sampling import is_synthetic, record_path
    from marketsim.llm import RecordStore

    file = overrides.apply(load_sampling(path))
    place = record_path(file)
    store = None if place is None else RecordStore(place)
    try:
        audit, rows = audit_sampling(file, store, _progress if sys.stderr.isatty() else None)
    finally:
        if store is not None:
            store.close()
    if table is not None:
        _write(rows, table)
    synthetic = is_synthetic(file)
    who = f"synthetic respondent {file.llm.model}, no language model" if synthetic else _live(file, rows)
    provenance = {
        "decisions": f"SYNTHETIC: {who}" if synthetic else who,
        "file": str(path),
        "sha256": sha256_of(path),
        "endpoint": file.llm.endpoint,
        "model": file.llm.model,
        "record": None if place is None else str(place),
    }
    return audit, provenance, synthetic


def _live(file: SamplingFile, rows: list[Row]) -> str:
    models = ", ".join(sorted({row.model for row in rows if row.model})) or file.llm.model
    return f"live or recorded: {models} at {file.llm.endpoint}"


def _progress(regime: str) -> None:
    sys.stderr.write(f"{regime} done\n")


def _write(rows: list[Row], path: Path) -> None:
    """Write the answers as ``marketsim audit answers`` reads them."""
    with path.open("w", newline="", encoding="utf-8") as target:
        writer = csv.DictWriter(target, ["regime", "call", "order", "answer", "outcome", "shown_first", "model"])
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)
