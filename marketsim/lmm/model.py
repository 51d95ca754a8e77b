"""The order model: a small decoder over order events, one event a step, in plain PyTorch.

``forward`` reads whole sequences, for training; ``step`` reads one event more and keeps the last ``window`` of them in
a ring, for sampling. On the state after an event four heads speak about the next one, each of which reads the fields
before its own: time to it, kind, price, size. Price and size also read the live book as the order's own side sees it.
``lmm.kernel.network`` runs the same weights without PyTorch.

References
----------
Touvron et al. (2023), LLaMA: RMS norm, SwiGLU, rotary positions; Ainslie et al. (2023): grouped-query attention.
Li et al. (2024), MarS, arXiv 2409.07486: one token an order, which the chained heads replace.
"""

from __future__ import annotations

from typing import NamedTuple, cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from marketsim.lmm.events import (
    F_EMPTY,
    GAP,
    KIND,
    N_CONDITIONS,
    N_FEATURES,
    N_GAPS,
    N_KINDS,
    N_PRICES,
    N_SIZES,
    N_VALUES,
    PRICE,
    SIZE,
)
from marketsim.lmm.kernel.book import SIDE_SIGN, SIDE_SWAP
from marketsim.lmm.sizes import Shape
from marketsim.lmm.teacher import Batch


class Cache(NamedTuple):
    """The last ``window`` events of every book: a ring. Keys are stored rotated, each by its own position."""

    keys: Tensor  # [layer, book, key head, window, head width]
    values: Tensor  # [layer, book, key head, window, head width]
    bias: Tensor  # [window]; 0 where an event has been written, -inf elsewhere
    position: Tensor  # int64[1]; events seen, the same for all books


def rotary(position: Tensor, head_width: int) -> tuple[Tensor, Tensor]:
    """Cosine and sine, float32[position, head_width / 2]. float32 angles would be wrong by .016 after 1e6 events."""
    frequency = 10_000.0 ** (-torch.arange(0, head_width, 2, dtype=torch.float64) / head_width)
    angle = position[:, None].double() * frequency
    return angle.cos().float(), angle.sin().float()


def rotate(x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Turn pairs of entries, the first half with the second, by the angles of their positions."""
    first, second = x.chunk(2, -1)
    return torch.cat((first * cosine - second * sine, second * cosine + first * sine), -1)


class Block(nn.Module):
    """One layer: attention over a sliding window, then a gated feed-forward part."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.n_heads, self.n_key_heads, self.head_width = shape.n_heads, shape.n_key_heads, shape.head_width
        self.attend_norm, self.feed_norm = nn.RMSNorm(shape.width, 1e-6), nn.RMSNorm(shape.width, 1e-6)
        self.qkv = nn.Linear(shape.width, (shape.n_heads + 2 * shape.n_key_heads) * self.head_width, bias=False)
        self.mix = nn.Linear(shape.width, shape.width, bias=False)
        self.gate_up = nn.Linear(shape.width, 2 * shape.feed, bias=False)
        self.down = nn.Linear(shape.feed, shape.width, bias=False)

    def queries_keys_values(self, x: Tensor, cosine: Tensor, sine: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """x [book, event, width] to three of [book, head, event, head width], queries and keys rotated."""
        heads = self.qkv(self.attend_norm(x)).unflatten(-1, (-1, self.head_width)).transpose(1, 2)
        q, k, v = heads.split((self.n_heads, self.n_key_heads, self.n_key_heads), 1)
        return rotate(q, cosine, sine), rotate(k, cosine, sine), v

    def add_feed(self, x: Tensor) -> Tensor:
        """x [..., width] plus its feed-forward part."""
        gate, up = self.gate_up(self.feed_norm(x)).chunk(2, -1)
        return x + cast(Tensor, self.down(F.silu(gate) * up))

    def forward(self, x: Tensor, cosine: Tensor, sine: Tensor, visible: Tensor) -> Tensor:
        """x [book, event, width] after this layer; visible [event, event] says which events read which."""
        q, k, v = self.queries_keys_values(x, cosine, sine)
        group = self.n_heads // self.n_key_heads
        y = F.scaled_dot_product_attention(
            q, k.repeat_interleave(group, 1), v.repeat_interleave(group, 1), attn_mask=visible
        )
        return self.add_feed(x + self.mix(y.transpose(1, 2).flatten(2)))

    def step(
        self, x: Tensor, cosine: Tensor, sine: Tensor, keys: Tensor, values: Tensor, slot: Tensor, bias: Tensor
    ) -> Tensor:
        """One event of every book, x [book, 1, width]. Shapes never change, so that the step can be compiled."""
        q, k, v = self.queries_keys_values(x, cosine, sine)
        keys.index_copy_(2, slot, k)
        values.index_copy_(2, slot, v)
        q = q.view(len(x), self.n_key_heads, -1, self.head_width)  # [book, key head, heads that share it, head width]
        weight = torch.softmax(q @ keys.transpose(2, 3) * self.head_width**-0.5 + bias, -1)
        return self.add_feed(x + self.mix((weight @ values).view(len(x), 1, -1)))


class Head(nn.Module):
    """Logits of one field from the state and the fields before it: the gap, and ``choice``, all others as a number."""

    def __init__(self, n_inputs: int, hidden: int, n_choices: int, n_values: int) -> None:
        super().__init__()
        self.read = nn.Linear(n_inputs, hidden, bias=False)
        self.by_gap, self.by_choice = nn.Embedding(N_GAPS, hidden), nn.Embedding(n_choices, hidden)
        self.write = nn.Linear(hidden, n_values)

    def forward(self, x: Tensor, gap: Tensor, choice: Tensor) -> Tensor:
        """x [..., input], gap and choice [...] to logits [..., value]."""
        return cast(Tensor, self.write(F.silu(self.read(x) + self.by_gap(gap) + self.by_choice(choice))))


class OrderModel(nn.Module):
    """The model.

    Parameters
    ----------
    shape : Shape
        Its sizes.
    feature_mean, feature_scale : Tensor
        float32[N_FEATURES], from ``feature_scales``.
    generator : torch.Generator, optional
        Draws the weights; without it they stay as PyTorch makes them, to be loaded over.
    """

    feature_mean: Tensor
    feature_scale: Tensor
    side_swap: Tensor
    side_sign: Tensor

    def __init__(
        self, shape: Shape, feature_mean: Tensor, feature_scale: Tensor, generator: torch.Generator | None = None
    ) -> None:
        super().__init__()
        self.shape = shape
        self.event_embedding = nn.Embedding(N_KINDS * N_PRICES, shape.width)
        self.size_embedding, self.gap_embedding = nn.Embedding(N_SIZES, shape.width), nn.Embedding(N_GAPS, shape.width)
        self.feature_embedding = nn.Linear(N_FEATURES, shape.width)
        self.condition_embedding = nn.Linear(N_CONDITIONS, shape.width, bias=False)
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.n_layers))
        self.final_norm = nn.RMSNorm(shape.width, 1e-6)
        self.gap_head = nn.Linear(shape.width, N_GAPS)
        self.kind_head = Head(shape.width, shape.hidden, 1, N_KINDS)
        self.price_head = Head(shape.width + N_FEATURES, shape.hidden, N_KINDS, N_PRICES)
        self.size_head = Head(shape.width + N_FEATURES, shape.hidden, N_KINDS * N_PRICES, N_SIZES)
        self.register_buffer("feature_mean", feature_mean)
        self.register_buffer("feature_scale", feature_scale)
        self.register_buffer("side_swap", torch.from_numpy(SIDE_SWAP), persistent=False)
        self.register_buffer("side_sign", torch.from_numpy(SIDE_SIGN), persistent=False)
        if generator is not None:
            self._draw_weights(generator)

    def _draw_weights(self, generator: torch.Generator) -> None:
        for name, parameter in self.named_parameters():
            if parameter.dim() == 2:
                small = name.endswith(("embedding.weight", "gap_head.weight", "write.weight"))
                std = 0.02 if small else parameter.shape[1] ** -0.5
                if "mix" in name or "down" in name:  # what is added to the stream starts small: depth keeps its scale
                    std *= (2 * self.shape.n_layers) ** -0.5
                nn.init.normal_(parameter, std=std, generator=generator)
            elif name.endswith("bias"):
                nn.init.zeros_(parameter)

    def embed(self, token: Tensor, feature: Tensor, condition: Tensor) -> Tensor:
        """Events [..., field], the book right after each and the conditions to [..., width]."""
        event = self.event_embedding(token[..., KIND] * N_PRICES + token[..., PRICE])
        event = event + self.size_embedding(token[..., SIZE]) + self.gap_embedding(token[..., GAP])
        book = self.feature_embedding((feature - self.feature_mean) / self.feature_scale)
        return cast(Tensor, event + book + self.condition_embedding(condition))

    def own_side(self, state: Tensor, feature: Tensor, kind: Tensor) -> Tensor:
        """State and the live book as the side of ``kind`` sees it: one rule for both sides. [..., width + features]."""
        mirrored = feature[..., self.side_swap] * self.side_sign
        seen = torch.where((kind & 1)[..., None] == 1, mirrored, feature)
        return torch.cat((state, (seen - self.feature_mean) / self.feature_scale), -1)

    def head_logits(self, field: int, state: Tensor, feature: Tensor, token: Tensor) -> Tensor:
        """Logits [..., value] of one field, given the fields of ``token`` before it; later ones are not read."""
        gap, kind = token[..., GAP], token[..., KIND]
        if field == GAP:
            return cast(Tensor, self.gap_head(state))
        if field == KIND:
            return cast(Tensor, self.kind_head(state, gap, torch.zeros_like(gap)))
        own = self.own_side(state, feature, kind)
        if field == PRICE:
            return cast(Tensor, self.price_head(own, gap, kind))
        return cast(Tensor, self.size_head(own, gap, kind * N_PRICES + token[..., PRICE]))

    def forward(self, token: Tensor, feature: Tensor, condition: Tensor) -> list[Tensor]:
        """Logits of events 1, 2, ... from those before each: four of [book, event - 1, value].

        token is int64[book, event, field]; feature[:, i], of float32[book, event + 1, N_FEATURES], is the book just
        before event i; condition is float32[book, N_CONDITIONS].
        """
        x = self.embed(token[:, :-1], feature[:, 1:-1], condition[:, None])
        position = torch.arange(x.shape[1], device=x.device)
        back = position[:, None] - position
        visible = (back >= 0) & (back < self.shape.window)
        cosine, sine = rotary(position, self.shape.head_width)
        for block in self.blocks:
            x = block(x, cosine, sine, visible)
        state = self.final_norm(x)
        return [self.head_logits(field, state, feature[:, 1:-1], token[:, 1:]) for field in range(4)]

    def empty_cache(self, n_books: int) -> Cache:
        """Return a ring that has seen nothing."""
        shape = self.shape
        ring = torch.zeros(2, shape.n_layers, n_books, shape.n_key_heads, shape.window, shape.head_width)
        return Cache(ring[0], ring[1], torch.full((shape.window,), -torch.inf), torch.zeros(1, dtype=torch.long))

    def step(self, cache: Cache, token: Tensor, feature: Tensor, condition: Tensor) -> Tensor:
        """State [book, width] after one more event a book and the book after it; the cache moves on."""
        x = self.embed(token, feature, condition)[:, None]
        cosine, sine = rotary(cache.position, self.shape.head_width)
        slot = cache.position % self.shape.window
        cache.bias.index_fill_(0, slot, 0.0)
        for layer, block in enumerate(self.blocks):
            x = cast(Block, block).step(x, cosine, sine, cache.keys[layer], cache.values[layer], slot, cache.bias)
        cache.position.add_(1)
        return cast(Tensor, self.final_norm(x[:, 0]))


def losses(model: OrderModel, batch: Batch) -> list[Tensor]:
    """Minus log-probability of each token among the possible values, in nats: four of [book, event - 1].

    The masks are part of the model: without them in the loss it spends itself on learning the venue's rules.
    """
    token, mask = torch.from_numpy(batch.token), torch.from_numpy(batch.mask.view(np.int64))[:, 1:]
    logits = model(token, torch.from_numpy(batch.feature), torch.from_numpy(batch.condition))
    result = []
    for field in range(4):
        possible = mask[..., field, None] >> torch.arange(N_VALUES[field]) & 1
        masked = logits[field].float().masked_fill(possible == 0, -1e9)
        result.append(F.cross_entropy(masked.movedim(-1, 1), token[:, 1:, field], reduction="none"))
    return result


def feature_scales(feature: np.ndarray) -> tuple[Tensor, Tensor]:
    """Mean and scale of features [..., N_FEATURES], the same for both sides: mirroring and scaling commute."""
    rows = torch.from_numpy(feature.reshape(-1, N_FEATURES))
    rows = torch.cat((rows, rows[:, SIDE_SWAP] * torch.from_numpy(SIDE_SIGN)))
    mean, scale = rows.mean(0), rows.std(0).clamp_min(0.1)
    mean[F_EMPTY:], scale[F_EMPTY:] = 0.0, 1.0  # rare flags stay as they are
    return mean, scale
