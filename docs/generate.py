"""Write docs/reference/ from the schemas: every scenario key, table column and command.

python docs/generate.py            write the pages
python docs/generate.py --check    change nothing; exit 1 and show what is out of date
"""

from __future__ import annotations

import argparse
import difflib
import importlib
import pkgutil
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import marketsim
from marketsim.core.tables import Table
from marketsim.core.units import DECIMAL_PATTERN, DURATION_PATTERN, POSITIVE_PATTERN, TIME_OF_DAY_PATTERN

REFERENCE = Path(__file__).resolve().parent / "reference"
HEAD = "<!-- Written by docs/generate.py from the {source}. Do not edit; change the source and run it again. -->\n\n"

SCENARIO = """\
# The scenario file

A scenario is a TOML file. An unknown key is an error that gives the nearest valid name; `marketsim validate FILE` lists
all faults at once, and `marketsim schema` prints the JSON Schema for editors. Every table of an array has a unique
`name`, so that `--set exchange.populations.value.count=50` reaches it.

- **duration**: a string with its unit, `"250ms"`, `"1.5s"`, `"10min"` (ns, us, ms, s, min, h, d).
- **decimal**: an exact decimal, as a string `"0.01"` or a number.
- **time of day**: `"09:30:00"`, with up to nine digits of fraction.
- Relative paths are relative to the file."""

SWEEP = """\
# The sweep file

A sweep is a TOML file that names a scenario; what it means is explained in [sweeps](../sweeps.md). An unknown key is an
error that gives the nearest valid name, and every cell is validated before anything runs. Keys of the scenario are
paths as `--set` takes them, in quotes or as TOML's dotted keys."""

TABLES = """\
# Tables of a run directory

Each table is a folder of Parquet parts, `exchange/trades/part-00000.parquet`, ...; read them together, for instance
with `marketsim.open_run(DIR).trades`, pandas, Polars or DuckDB. No value is ever missing. Columns marked *no* do not
count for the digest of the run."""

COMMANDS = """\
# Commands

Results go to stdout, as a table or with `--json` as one object. Progress goes to stderr, and only to a terminal.

| exit code | means |
|---|---|
| 0 | done |
| 1 | failed |
| 2 | bad input: file, line, what was found and what was expected stand on stderr |
| 3 | the cap of a budget was reached |
| 130 | interrupted; the run says how to go on |"""

Json = dict[str, Any]


def text(value: object) -> str:
    """Return a sentence as it stands in a table's cell: one line, reStructuredText's quotes as Markdown's."""
    line = " ".join(str(value).split()).replace("``", "`")
    return re.sub(r"(?<!\\)\|", r"\\|", line)


def row(*cells: str) -> str:
    """Return a row of a Markdown table."""
    return "| " + " | ".join(cells) + " |"


def rule(n: int) -> str:
    """Return the line below the head of a table with n columns."""
    return "|" + "---|" * n


# ---- Scenario keys ------------------------------------------------------------------------------------------

PATTERNS = {
    DURATION_PATTERN: "duration",
    TIME_OF_DAY_PATTERN: "time of day",
    DECIMAL_PATTERN: "decimal",
    POSITIVE_PATTERN: "positive decimal",
}


class Place(NamedTuple):
    """A table of the scenario file."""

    path: str
    schema: Json
    is_array: bool


class Schema:
    """One JSON Schema, with its references resolved."""

    def __init__(self, root: Json) -> None:
        self.root, self.definitions = root, root.get("$defs", {})

    def resolve(self, node: Json) -> Json:
        """Return what a reference stands for."""
        while "$ref" in node:
            node = self.definitions[node["$ref"].rpartition("/")[2]]
        return node

    def options(self, node: Json) -> list[Json]:
        """Return the alternatives of a value, None left out."""
        node = self.resolve(node)
        found = node.get("anyOf") or node.get("oneOf")
        if not found:
            return [node]
        return [option for each in found for option in self.options(each) if option.get("type") != "null"]

    def type_of(self, node: Json) -> str:
        """Return the type of a value in a reader's words."""
        words = [self._word(option) for option in self.options(node)]
        if words and words[-1] == "number" and words[0] in PATTERNS.values():
            words.pop()  # a decimal may be a number as well, as the head of the page says
        return " or ".join(dict.fromkeys(words))

    def _word(self, node: Json) -> str:
        if "enum" in node or "const" in node:
            *others, last = [f'`"{value}"`' for value in node.get("enum", [node.get("const")])]
            return f"{', '.join(others)} or {last}" if others else last
        kind = node.get("type")
        if kind == "array":
            items = node.get("items") or (node.get("prefixItems") or [{}])[0]
            word = self.type_of(items) if items else "value"
            return f"list of {word.replace('list', 'lists', 1) if word.startswith('list') else f'{word}s'}"
        if kind == "object":
            return "table"
        if kind == "string":
            return PATTERNS.get(node.get("pattern", ""), "string")
        return str(kind or "any") + _range(node)

    def tables(self, path: str, node: Json, is_array: bool = False) -> Iterator[Place]:
        """Yield a table and those below it, in the order of their keys."""
        yield Place(path, node, is_array)
        for name, key in node.get("properties", {}).items():
            below = f"{path}.{name}" if path else name
            for option in self.options(key):
                if option.get("type") == "object" and "properties" in option:
                    yield from self.tables(below, option)
                elif option.get("type") == "array":
                    for item in self.options(option.get("items", {})):
                        if "properties" in item:
                            yield from self.tables(below, item, is_array=True)


BOUNDS = {"minimum": "from", "exclusiveMinimum": "above", "maximum": "to", "exclusiveMaximum": "below"}


def _range(node: Json) -> str:
    return "".join(f" {word} {node[bound]:,}".removesuffix(".0") for bound, word in BOUNDS.items() if bound in node)


def keys(schema: Schema, node: Json, leave_out: frozenset[str] = frozenset()) -> list[str]:
    """Return the Markdown table of a scenario table's keys."""
    lines = [row("key", "type", "default", "what it is"), rule(4)]
    required = set(node.get("required", ()))
    for name, key in node.get("properties", {}).items():
        if name in leave_out:
            continue
        default = "required" if name in required else _default(key)
        lines.append(row(f"`{name}`", schema.type_of(key), default, text(_description(schema, key))))
    return lines if len(lines) > 2 else []


def _default(key: Json) -> str:
    value = key.get("default")
    if value is None or value == "":
        return ""
    if isinstance(value, dict | list) and value:
        return "see below"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f'`"{value}"`' if isinstance(value, str) else f"`{value}`"


def _description(schema: Schema, key: Json) -> str:
    if "description" in key:
        return str(key["description"])
    found = [option["description"] for option in schema.options(key) if "description" in option]
    return str(found[0]) if found else ""


def kind_pages(place: Place) -> Iterator[str]:
    """Yield the lines on each kind of an array: its own keys, beyond those that all kinds share. No kinds, no lines."""
    from marketsim.scenario.kinds import KINDED

    array = KINDED.get(tuple(place.path.split(".")))
    if array is None:
        return
    shared = frozenset(place.schema.get("properties", {}))
    for kind in sorted(array.registry.kinds):
        schema = Schema(array.config_of(kind, None).model_json_schema())
        yield from ("", f'### `kind = "{kind}"`', "", _paragraph(schema.root))
        own = keys(schema, schema.root, shared)
        yield from (["", *own] if own else ["", "No keys of its own."])


def _paragraph(node: Json) -> str:
    """Return a table's description without the path that its docstring begins with, which is the heading already."""
    description = re.sub(r"^``[^`]*``:\s*", "", node.get("description", ""))
    description = re.sub(r"[ \t]*\n[ \t]*", "\n", description).replace("``", "`")
    return description[:1].upper() + description[1:]


def scenario_page() -> str:
    """Return the page on every key of a scenario file."""
    from marketsim.scenario.schema import Scenario

    schema = Schema(Scenario.model_json_schema())
    lines = [SCENARIO]
    for place in schema.tables("", schema.root):
        brackets = "[[{}]]" if place.is_array else "[{}]"
        heading = f"`{brackets.format(place.path)}`" if place.path else "Keys of the run"
        lines += ["", f"## {heading}", "", _paragraph(place.schema), "", *keys(schema, place.schema)]
        lines += kind_pages(place)
    return HEAD.format(source="scenario schema") + "\n".join(lines) + "\n"


def sweep_page() -> str:
    """Return the page on every key of a sweep file."""
    from marketsim.experiments.config import SweepConfig

    schema = Schema(SweepConfig.model_json_schema())
    lines = [SWEEP]
    for place in schema.tables("", schema.root):
        brackets = "[[{}]]" if place.is_array else "[{}]"
        heading = f"`{brackets.format(place.path)}`" if place.path else "Keys of the sweep"
        lines += ["", f"## {heading}", "", _paragraph(place.schema), "", *keys(schema, place.schema)]
    return HEAD.format(source="sweep schema") + "\n".join(lines) + "\n"


# ---- Tables -------------------------------------------------------------------------------------------------


def all_tables() -> list[Table]:
    """Return every table that a package declares in its ``tables.py``."""
    found: dict[str, Table] = {}
    for package in pkgutil.iter_modules(marketsim.__path__, "marketsim."):
        name = f"{package.name}.tables"
        if not package.ispkg or name == "marketsim.core.tables" or importlib.util.find_spec(name) is None:
            continue
        for value in vars(importlib.import_module(name)).values():
            if isinstance(value, Table):
                found[value.name] = value
    return [found[name] for name in sorted(found)]


def tables_page() -> str:
    """Return the page on every column of every table."""
    lines = [TABLES]
    for table in all_tables():
        lines += ["", f"## `{table.name}`", "", text(table.description).rstrip(".") + ".", ""]
        lines += [row("column", "type", "unit", "digest", "what it is"), rule(5)]
        for column in table.columns:
            labels = f": {column.labelled()}" if column.labels else ""
            digest = "yes" if column.digest else "no"
            description = text(column.description).rstrip(".") + labels
            lines.append(row(f"`{column.name}`", column.type, column.unit, digest, description))
    return HEAD.format(source="tables' declarations") + "\n".join(lines) + "\n"


# ---- Commands -----------------------------------------------------------------------------------------------


def commands(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Yield every command with its full name, groups left out."""
    below = getattr(command, "commands", None)
    if not below:
        yield name, command
        return
    if getattr(command, "invoke_without_command", False) and any(
        each.param_type_name == "argument" for each in command.params
    ):
        yield name, command  # sweep FILE, beside its subcommands
    for word in list(below):
        yield from commands(below[word], f"{name} {word}")


def cli_page() -> str:
    """Return the page on every command."""
    from typer.main import get_command

    from marketsim.cli.main import app

    lines = [COMMANDS]
    for name, command in commands(get_command(app), "marketsim"):
        lines += ["", f"## `{name}`", "", *_help(command), "", "```", _usage(name, command), "```"]
        arguments = [parameter for parameter in command.params if not getattr(parameter, "hidden", False)]
        if arguments:
            lines += ["", row("argument or option", "default", "what it is"), rule(3)]
            lines += [_parameter(parameter) for parameter in arguments]
    return HEAD.format(source="command line") + "\n".join(lines) + "\n"


def _help(command: Any) -> list[str]:
    """Return a command's help; a line that begins with Example becomes code."""
    lines = []
    for line in (command.help or "").replace("\b", "").strip().splitlines():
        example = re.match(r"\s*Examples?:\s*(\S.*)", line)
        lines.append(f"Example: `{example[1]}`" if example else line.strip())
    return lines


def _usage(name: str, command: Any) -> str:
    words = [_metavar(each) for each in command.params if each.param_type_name == "argument"]
    options = " [OPTIONS]" if any(each.param_type_name == "option" for each in command.params) else ""
    return " ".join([name + options, *words])


def _metavar(parameter: Any) -> str:
    word = parameter.metavar or parameter.name.upper()
    word = word if parameter.nargs == 1 else f"{word}..."
    return word if parameter.required else f"[{word}]"


def _parameter(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        names = f"`{_metavar(parameter)}`"
    else:
        value = "" if parameter.is_flag else f" {parameter.metavar or parameter.name.upper()}"
        names = ", ".join(f"`{name}{value}`" for name in sorted([*parameter.opts, *parameter.secondary_opts], key=len))
    default = parameter.default
    shown = f"`{default}`" if isinstance(default, str | int | float | Path) and default not in (False, "") else ""
    return row(names, "required" if parameter.required else shown, text(parameter.help or ""))


# ---- Writing ------------------------------------------------------------------------------------------------

PAGES = {"scenario.md": scenario_page, "sweep.md": sweep_page, "tables.md": tables_page, "cli.md": cli_page}


def main(arguments: list[str] | None = None) -> int:
    """Write or check the pages; return the exit code."""
    parser = argparse.ArgumentParser(description="Write docs/reference/ from the schemas.")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 where a page is out of date")
    check = parser.parse_args(arguments).check
    stale = 0
    for name, page in PAGES.items():
        path, new = REFERENCE / name, page()
        old = path.read_text(encoding="utf-8") if path.exists() else ""
        if old == new:
            continue
        stale += 1
        if check:
            pages = old.splitlines(), new.splitlines()
            lines = difflib.unified_diff(*pages, f"docs/reference/{name}", "schemas", lineterm="")
            sys.stderr.write("\n".join(lines) + "\n")
        else:
            path.parent.mkdir(exist_ok=True)
            path.write_text(new, encoding="utf-8")
    if check and stale:
        sys.stderr.write("docs/reference is out of date; run: python docs/generate.py\n")
    return int(check and stale > 0)


if __name__ == "__main__":
    sys.exit(main())
