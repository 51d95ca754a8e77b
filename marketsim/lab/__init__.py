"""Experiments on decision makers: what they answer, asked in different ways."""

from typing import TYPE_CHECKING

from marketsim.core.lazy import lazy_exports

if TYPE_CHECKING:
    from marketsim.lab.sampling import audit_sampling as audit_sampling
    from marketsim.lab.sampling_file import SamplingFile as SamplingFile
    from marketsim.lab.sampling_file import load_sampling as load_sampling

__getattr__, __dir__, __all__ = lazy_exports(
    __name__, {".sampling": ["audit_sampling"], ".sampling_file": ["SamplingFile", "load_sampling"]}
)
