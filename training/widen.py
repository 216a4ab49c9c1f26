"""Starts a wide network as a trained narrow one (Chen et al. 2016, "Net2Net"): the same function.

Each new channel is a copy of an old one; what reads both shares the old weight between them, unequally,
so that the copies learn different things.
"""

from __future__ import annotations

import torch

from network import MobileNetV1

# Share of a weight that its copies take at least and at most, before they are made to add up to 1.
SHARES = (0.1, 0.9)
# Standard deviation of what is added to copied filters, as a share of the weight.
NOISE = 0.05


def widen(narrow: MobileNetV1, wide: MobileNetV1, seed: int) -> None:
    """Sets the weights of `wide` so that it computes nearly what `narrow` does."""
    random = torch.Generator().manual_seed(seed)
    origin = torch.arange(3)
    with torch.no_grad():
        for old, new in zip(narrow.layers, wide.layers):
            filters, outputs = old.conv.weight, new.conv.weight.shape[0]
            depthwise = new.conv.groups > 1
            chosen = origin if depthwise else _choose(filters.shape[0], outputs, random)
            weight = filters[chosen]
            if not depthwise and weight.shape[1] != new.conv.weight.shape[1]:
                weight = weight[:, origin] * _shares(origin, outputs, random)[:, :, None, None]
            copies = weight[filters.shape[0] :]
            copies *= 1 + NOISE * torch.randn(copies.shape, generator=random)
            new.conv.weight.copy_(weight)
            for name in ("weight", "bias", "running_mean", "running_var"):
                getattr(new.norm, name).copy_(getattr(old.norm, name)[chosen])
            origin = chosen
        weight = narrow.classifier.weight[:, origin]
        wide.classifier.weight.copy_(weight * _shares(origin, weight.shape[0], random))
        wide.classifier.bias.copy_(narrow.classifier.bias)


def _choose(old: int, new: int, random: torch.Generator) -> torch.Tensor:
    """For each new channel the old one it starts as: all once, then others at random."""
    rounds = -(-(new - old) // old)
    more = [torch.randperm(old, generator=random) for _ in range(rounds)]
    return torch.cat([torch.arange(old), *more])[:new]


def _shares(origin: torch.Tensor, rows: int, random: torch.Generator) -> torch.Tensor:
    low, high = SHARES
    shares = torch.rand(rows, len(origin), generator=random) * (high - low) + low
    sums = torch.zeros(rows, int(origin.max()) + 1).index_add_(1, origin, shares)
    return shares / sums[:, origin]
