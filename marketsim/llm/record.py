"""``RecordStore``: every answer that was paid for, in one SQLite file with JSON rows.

An answer is committed before its caller sees it, so a process that is killed loses at most what was in flight. Keys are
those of ``llm.request``; nothing in the file is secret and nothing is pickled.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

from marketsim.llm.errors import RecordError
from marketsim.llm.request import Draw, Json, Origin
from marketsim.llm.response import Raw

FORMAT: Final = 1
"""Version of the layout below."""

_TABLES: Final = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE requests (key TEXT PRIMARY KEY, request TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE answers (
    key TEXT NOT NULL, draw INTEGER NOT NULL, attempt INTEGER NOT NULL,
    response TEXT NOT NULL, latency_s REAL NOT NULL, tries INTEGER NOT NULL, date TEXT NOT NULL,
    agent TEXT NOT NULL, step INTEGER NOT NULL, question TEXT NOT NULL,
    PRIMARY KEY (key, draw, attempt)
) WITHOUT ROWID;
CREATE INDEX answers_by_origin ON answers (agent, step);
CREATE TABLE spending (
    run TEXT PRIMARY KEY, calls INTEGER NOT NULL, prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL,
    money TEXT NOT NULL
) WITHOUT ROWID;
"""


class Entry(NamedTuple):
    """One record."""

    key: str
    draw: Draw
    origin: Origin
    request: Json
    raw: Raw


class Spent(NamedTuple):
    """What a run has spent so far."""

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    money: str = "0"


class RecordStore:
    """A record store. May be used from any thread.

    Parameters
    ----------
    path : Path
        The file; made where it is not there, unless ``read_only``.
    read_only : bool
        For replay.

    Raises
    ------
    RecordError
        There is no such file, it is no record store, of another format, or damaged.
    """

    def __init__(self, path: str | Path, *, read_only: bool = False) -> None:
        self.path = Path(path)
        exists = self.path.is_file() and self.path.stat().st_size > 0
        if read_only and not exists:
            raise RecordError(f"{self.path}: found no record store")
        self._lock = threading.Lock()
        self._requests_seen: dict[str, None] = {}
        try:
            self._db = self._open(exists, read_only)
        except sqlite3.Error as error:
            raise RecordError(f"{self.path}: cannot be read as a record store: {error}") from None

    def _open(self, exists: bool, read_only: bool) -> sqlite3.Connection:
        mode = "ro" if read_only else "rwc"
        if not read_only:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(
            f"{self.path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None, check_same_thread=False,
            timeout=30.0,
        )  # fmt: skip
        try:
            if exists:
                self._check(db)
            if not read_only:
                db.execute("PRAGMA journal_mode=WAL")
                db.execute("PRAGMA synchronous=NORMAL")
            if not exists:
                db.executescript(f"BEGIN; {_TABLES} INSERT INTO meta VALUES ('format', '{FORMAT}'); COMMIT;")
        except BaseException:
            db.close()
            raise
        return db

    def _check(self, db: sqlite3.Connection) -> None:
        names = {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if "meta" not in names:
            what = "its first write never ended" if not names else f"it has the tables {', '.join(sorted(names))}"
            raise RecordError(f"{self.path}: is no record store: {what}")
        row = db.execute("SELECT value FROM meta WHERE name = 'format'").fetchone()
        found = row[0] if row else "none"
        if found != str(FORMAT):
            hint = "; this version of marketsim is older" if found.isdigit() and int(found) > FORMAT else ""
            raise RecordError(f"{self.path}: found format {found} of the record store, expected {FORMAT}{hint}")
        damage = db.execute("PRAGMA quick_check(1)").fetchone()[0]
        if damage != "ok":
            raise RecordError(f"{self.path}: is damaged, as a copy that was cut short would be: {damage}")

    # ---- Answers ---------------------------------------------------------------------------------------------

    def get(self, key: str, draw: Draw) -> Raw | None:
        """Return an answer; None where there is none."""
        with self._lock:
            row = self._db.execute(
                "SELECT response, latency_s, tries, date FROM answers WHERE key = ? AND draw = ? AND attempt = ?",
                (key, *draw),
            ).fetchone()
        return None if row is None else Raw(json.loads(row[0]), row[1], row[2], row[3])

    def put(self, key: str, draw: Draw, request: str, raw: Raw, origin: Origin, run: str, spent: Spent) -> None:
        """Commit an answer, and what the run has spent with it.

        Parameters
        ----------
        key, request : str
            Request key, and the canonical JSON that it is the hash of.
        draw : Draw
            Which draw and attempt.
        raw : Raw
            The answer.
        origin : Origin
            Who asked.
        run : str
            Whose spending it is.
        spent : Spent
            All that the run has spent, this answer included.
        """
        row = (key, *draw, json.dumps(raw.body, separators=(",", ":")), raw.latency_s, raw.tries, raw.date, *origin)
        with self._lock:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                if key not in self._requests_seen:
                    self._db.execute("INSERT OR IGNORE INTO requests VALUES (?, ?)", (key, request))
                self._db.execute("INSERT OR IGNORE INTO answers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
                self._db.execute("INSERT OR REPLACE INTO spending VALUES (?, ?, ?, ?, ?)", (run, *spent))
                self._db.execute("COMMIT")
            except sqlite3.Error as error:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise RecordError(f"{self.path}: cannot be written: {error}") from None
            self._note(key)

    def _note(self, key: str) -> None:
        """Remember a few requests that are stored already, so that 500 draws write theirs once."""
        self._requests_seen[key] = None
        if len(self._requests_seen) > 1024:
            del self._requests_seen[next(iter(self._requests_seen))]

    def spent(self, run: str) -> Spent:
        """Return what a run has spent so far."""
        with self._lock:
            row = self._db.execute(
                "SELECT calls, prompt_tokens, completion_tokens, money FROM spending WHERE run = ?", (run,)
            ).fetchone()
        return Spent() if row is None else Spent(*row)

    # ---- Looking at it ---------------------------------------------------------------------------------------

    def __len__(self) -> int:
        """Return the number of answers."""
        with self._lock:
            return int(self._db.execute("SELECT count(*) FROM answers").fetchone()[0])

    def entries(self, agent: str = "", step: int | None = None) -> Iterator[Entry]:
        """Yield records in the order of agent, step and question.

        Parameters
        ----------
        agent : str
            Of this agent only.
        step : int, optional
            Of this step only.
        """
        where, values = _condition(agent, step)
        query = (
            "SELECT a.key, a.draw, a.attempt, a.agent, a.step, a.question, r.request, a.response, a.latency_s, "
            f"a.tries, a.date FROM answers a JOIN requests r ON a.key = r.key {where} "
            "ORDER BY a.agent, a.step, a.question, a.draw, a.attempt LIMIT 256 OFFSET ?"
        )
        offset = 0
        while True:
            with self._lock:
                rows = self._db.execute(query, (*values, offset)).fetchall()
            for row in rows:
                raw = Raw(json.loads(row[7]), row[8], row[9], row[10])
                yield Entry(row[0], Draw(row[1], row[2]), Origin(*row[3:6]), json.loads(row[6]), raw)
            if len(rows) < 256:
                return
            offset += 256

    def counts(self) -> list[Json]:
        """Return calls by endpoint and model, with the first and last date."""
        query = (
            "SELECT json_extract(r.request, '$.base_url'), json_extract(r.request, '$.model'), count(*), min(a.date), "
            "max(a.date) FROM answers a JOIN requests r ON a.key = r.key GROUP BY 1, 2 ORDER BY 1, 2"
        )
        with self._lock:
            rows = self._db.execute(query).fetchall()
        return [dict(zip(("endpoint", "model", "answers", "first", "last"), row, strict=True)) for row in rows]

    def export(self) -> Iterator[str]:
        """Yield each record as a line of JSON."""
        for entry in self.entries():
            document: dict[str, Any] = {
                "key": entry.key,
                **entry.draw._asdict(),
                **entry.origin._asdict(),
                "date": entry.raw.date,
                "latency_s": entry.raw.latency_s,
                "tries": entry.raw.tries,
                "request": entry.request,
                "response": entry.raw.body,
            }
            document["draw"] = document.pop("number")
            yield json.dumps(document, sort_keys=True)

    def prune(self, *, agent: str = "", before: str = "") -> int:
        """Delete records and return how many; what is left of the file is packed.

        Parameters
        ----------
        agent : str
            Only of this agent.
        before : str
            Only those asked before this date, ``"2026-01-31"`` or ``"2026-01-31T12:00:00"``.
        """
        conditions = [f"{column} ?" for column, value in (("agent =", agent), ("date <", before)) if value]
        where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
        with self._lock:
            number = self._db.execute(f"DELETE FROM answers {where}", [v for v in (agent, before) if v]).rowcount
            self._db.execute("DELETE FROM requests WHERE key NOT IN (SELECT key FROM answers)")
            self._requests_seen.clear()
            self._db.execute("VACUUM")
        return int(number)

    # ---- Life ------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Close the file; the write-ahead log is folded into it."""
        with self._lock:
            self._db.close()

    def __enter__(self) -> Self:
        """Return the store."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()


def _condition(agent: str, step: int | None) -> tuple[str, list[Any]]:
    given = [(column, value) for column, value in (("agent", agent or None), ("step", step)) if value is not None]
    where = " AND ".join(f"a.{column} = ?" for column, _ in given)
    return (f"WHERE {where}" if where else ""), [value for _, value in given]
