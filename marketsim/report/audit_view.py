"""What the report of an audit is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from marketsim.analysis.bias.audit import Audit


@dataclass(frozen=True)
class AuditInput:
    """Everything that ``render_audit`` prints; it computes nothing and reads no file.

    Attributes
    ----------
    title : str
        What was audited, such as the file's name.
    audit : Audit
        What was found.
    provenance : str
        Where the answers came from, as a sentence.
    synthetic : bool
        Whether synthetic respondents gave them, so that every figure says so.
    command : str
        What to type to get the same audit again.
    facts : mapping of str to str
        More for the head of the page, such as the SHA-256 of the file.
    """

    title: str
    audit: Audit
    provenance: str
    synthetic: bool = False
    command: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
