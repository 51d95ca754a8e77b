"""The base of every scenario table."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """Base of every scenario table: unknown keys and wrong types are errors; values are frozen.

    Validators raise ``ValueError`` with a text that begins with ``expected``; the loader puts the place and the value
    found in front of it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True)
