"""Prompts: Jinja files with a version, one for each kind of agent, replaceable from a scenario.

A file has two blocks. ``system`` is instructions alone: no field may stand in it, so nothing from a market can get
there. ``user`` holds static text first and the fields, persona and state, last. A file of one's own may extend ours,
``{% extends "llm_trader.j2" %}``, and replace one block.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import jinja2
from jinja2 import nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from marketsim.llm.errors import PromptError

FOLDER: Final = Path(__file__).parent / "templates"

FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "llm_buyer": ("persona", "category", "page", "product", "browse", "steps_left", "memory"),
    "llm_trader": ("persona", "state", "limit_lots", "max_order_lots", "symbol"),
}
"""Fields that the ``user`` block of each kind's prompt gets."""


class Prompt(NamedTuple):
    """A prompt that is ready to be filled in."""

    name: str
    version: str
    digest: str
    """First 12 digits of the SHA-256 of the file."""
    source: str
    system: str
    template: jinja2.Template

    @property
    def identity(self) -> str:
        """Name, version and digest, as the table of calls has it."""
        return f"{self.name} {self.version} {self.digest}"

    def user(self, fields: Mapping[str, Any]) -> str:
        """Return the user's message."""
        context = self.template.new_context(dict(fields))
        return "".join(self.template.blocks["user"](context)).strip()


def load_prompt(kind: str, file: Path | None = None) -> Prompt:
    """Return the prompt of a kind of agent, or the file that a scenario puts in its place.

    Raises
    ------
    PromptError
        It cannot be read, has no version, lacks a block, or names an unknown field.
    """
    return _load(kind, file if file is not None else FOLDER / f"{kind}.j2")


@lru_cache(maxsize=64)
def _load(kind: str, file: Path) -> Prompt:
    try:
        source = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PromptError(f"{file}: cannot be read as a prompt: {error}") from None
    version = re.match(r"\{#-?\s*version:\s*([^\s#]+)\s*-?#\}", source)
    if version is None:
        raise PromptError(f"{file}:1: expected a version on the first line, such as {{# version: 1 #}}")
    environment = _environment(file.parent)
    known = FIELDS[kind]
    try:
        _check_fields(file, environment.parse(source), known)
        template = environment.get_template(file.name)
        blocks = _blocks(template, environment, source)
        missing = sorted({"system", "user"} - blocks.keys())
        if missing:
            raise PromptError(f"{file}: expected a block {missing[0]}, {{% block {missing[0]} %}}")
        system = "".join(blocks["system"](template.new_context({}))).strip()
    except jinja2.TemplateSyntaxError as error:
        raise PromptError(f"{file}:{error.lineno}: {error.message}") from None
    except jinja2.UndefinedError as error:
        raise PromptError(f"{file}: block system: {error.message}; fields stand in the block user only") from None
    except jinja2.TemplateError as error:
        raise PromptError(f"{file}: {error}") from None
    template.blocks.update(blocks)
    digest = hashlib.sha256(source.encode()).hexdigest()[:12]
    return Prompt(file.stem, version[1], digest, source, system, template)


def _environment(folder: Path) -> jinja2.Environment:
    loader = jinja2.ChoiceLoader([jinja2.FileSystemLoader(folder), jinja2.FileSystemLoader(FOLDER)])
    return ImmutableSandboxedEnvironment(
        loader=loader, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False
    )


def _blocks(template: jinja2.Template, environment: jinja2.Environment, source: str) -> dict[str, Any]:
    """Return the blocks of a template, those that it inherits included."""
    parent = next(environment.parse(source).find_all(nodes.Extends), None)
    inherited: dict[str, Any] = {}
    if parent is not None and isinstance(parent.template, nodes.Const):
        name = str(parent.template.value)
        above = environment.get_template(name)
        text = Path(above.filename or "").read_text(encoding="utf-8")
        inherited = _blocks(above, environment, text)
    return inherited | dict(template.blocks)


def _check_fields(file: Path, tree: nodes.Template, known: Collection[str]) -> None:
    """Refuse a field that the kind does not have, by the line on which it stands."""
    set_here = {name.name for name in tree.find_all(nodes.Name) if name.ctx in ("store", "param")}
    for name in tree.find_all(nodes.Name):
        if name.ctx == "load" and name.name not in set_here and name.name not in known:
            listed = ", ".join(known)
            raise PromptError(f"{file}:{name.lineno}: found an unknown field {name.name}, expected one of {listed}")


def untrusted_json(value: Any) -> str:
    """Return JSON for a prompt in which no text can end the block that it stands in: ``<`` is written ``\\u003c``."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).replace("<", "\\u003c")
