"""A pool whose network is PyTorch's; books, masks and draws are the same kernels.

The batch is padded to a multiple of 16: at other widths a product may sum in another order, and the last bits differ.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from marketsim.lmm.checkpoint import Checkpoint
from marketsim.lmm.events import GAP, KIND, N_CONDITIONS, PRICE, SIZE
from marketsim.lmm.kernel import network
from marketsim.lmm.model import OrderModel
from marketsim.lmm.pool import Pool

IntArray = npt.NDArray[np.int64]


class TorchPool(Pool):
    """As ``Pool``, with PyTorch's products; ``model`` also has the weights of ``network``.

    Parameters
    ----------
    model, depth, quote, condition, seed, book_id
        As ``Pool``.
    decoder : OrderModel
        The model's weights in PyTorch.
    """

    def __init__(
        self,
        model: Checkpoint,
        decoder: OrderModel,
        depth: Any,
        quote: Any,
        condition: Any,
        seed: int,
        book_id: Any = None,
    ) -> None:
        super().__init__(model, depth, quote, condition, seed, book_id)
        self.decoder, rows = decoder, self._rows()
        self.cache = decoder.empty_cache(rows)
        self._condition = torch.zeros(rows, N_CONDITIONS)
        self._condition[: self.n_books] = torch.from_numpy(np.asarray(condition, np.float32))
        shared = self.state.token, self.state.feature, self.state.hidden
        self.token, self.feature, self.hidden = map(torch.from_numpy, shared)  # kernels read and write the same memory

    def _rows(self) -> int:
        return -(-self.n_books // 16) * 16

    @torch.inference_mode()
    def _decode(self) -> None:
        self.hidden.copy_(self.decoder.step(self.cache, self.token, self.feature, self._condition))

    @torch.inference_mode()
    def _foresee(self) -> None:
        self._draw(GAP)

    def _draw(self, field: int) -> None:
        logits = self.decoder.head_logits(field, self.hidden, self.feature, self.token)
        network.draw_field(field, logits.numpy(), self.state, self.model.scale)

    @torch.inference_mode()
    def _roll(self, record: IntArray) -> None:
        for step in range(record.shape[1]):
            network.take_up(self.state)
            for field in (KIND, PRICE, SIZE):
                self._draw(field)
            network.carry_out(self.state, self.model.scale)
            record[:, step] = self.state.record
            self.state.n_drawn[0] += 1
            self.state.redraws[0] = 0
            self._decode()
            self._draw(GAP)
