"""Random parts and colours of pictures."""

from __future__ import annotations

import numpy as np
import torch

# Share of the area that a random part has, and how far its ratio of sides may be from the picture's.
AREA = (0.3, 1.0)
RATIO = 0.25


def random_box(random: np.random.Generator, area: tuple[float, float] = AREA) -> tuple:
    """Left, top, right, bottom as shares of the sides, and whether it is flipped."""
    share = random.uniform(*area)
    ratio = np.exp(random.uniform(-RATIO, RATIO))
    width, height = min(1, np.sqrt(share) * ratio), min(1, np.sqrt(share) / ratio)
    left, top = random.uniform(0, 1 - width), random.uniform(0, 1 - height)
    return left, top, left + width, top + height, int(random.integers(2))


def nudge(random: np.random.Generator, box: tuple, by: float) -> tuple:
    """Each side of a box moved by up to `by`, within the picture."""
    left, top, right, bottom = np.clip(np.array(box[:4]) + random.uniform(-by, by, 4), 0, 1)
    return left, top, max(right, left + 0.05), max(bottom, top + 0.05), box[4]


def recolour(random: np.random.Generator, x: torch.Tensor, strength: float) -> torch.Tensor:
    """Brightness, contrast, colour and saturation of each picture changed; x is in [-1, 1]."""
    if strength == 0:
        return x

    def spread(*shape: int) -> torch.Tensor:
        return strength * torch.from_numpy(random.uniform(-1, 1, shape).astype(np.float32))

    count = len(x)
    gain = (1 + spread(count, 1, 1, 1)) * (1 + 0.3 * spread(count, 3, 1, 1))
    x = x * gain + 0.5 * spread(count, 1, 1, 1) + 0.2 * spread(count, 3, 1, 1)
    grey = x.mean(1, keepdim=True)
    return (grey + (x - grey) * (1 + 1.5 * spread(count, 1, 1, 1))).clamp_(-1, 1)


def to_input(pictures: np.ndarray) -> torch.Tensor:
    """[batch, size, size, 3] bytes to [batch, 3, size, size] in [-1, 1], channels last in memory."""
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).float().div_(127.5).sub_(1)
