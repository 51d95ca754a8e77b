"""``Echo``: says the last message again. For trying a connection."""

from __future__ import annotations

import numpy as np

from marketsim.llm.respondents.respondent import Asked, Reply, Respondent


class Echo(Respondent):
    """Answers with the text of the user's last message; it knows no schema and no log-probabilities."""

    capabilities = Respondent.capabilities - {"json_schema", "logprobs"}

    def answer(self, asked: Asked, generator: np.random.Generator) -> Reply:
        """Return the last message."""
        return Reply(asked.last)
