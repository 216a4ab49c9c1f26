"""The layer table of MobileNetV1 (Howard et al. 2017, table 1) at a width multiplier α.

The same as that of `src/families/mobilenet-v1.ts`; a test holds both to the same layers, parameters and
mult-adds. `python3 architecture.py ALPHA SIZE CLASSES` prints it as JSON.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass

# Channels (at α = 1) and stride of the thirteen depthwise-separable blocks.
BLOCKS = (
    (64, 1),
    (128, 2),
    (128, 1),
    (256, 2),
    (256, 1),
    (512, 2),
    (512, 1),
    (512, 1),
    (512, 1),
    (512, 1),
    (512, 1),
    (1024, 2),
    (1024, 1),
)
STEM_CHANNELS = 32


def channels_of(base: int, alpha: float) -> int:
    """Channels of a layer at width multiplier `alpha`: rounded down, at least 8."""
    return max(8, int(base * alpha))


@dataclass(frozen=True)
class Layer:
    """One layer as the paper's table 1 lists it; sides in pixels."""

    kind: str
    stride: int
    input_side: int
    output_side: int
    input_channels: int
    output_channels: int
    parameters: int
    mult_adds: int


def layers_of(alpha: float, size: int, classes: int) -> list[Layer]:
    """The layers at width `alpha` and input `size`; parameters count weights, scale and shift of each channel."""
    layers: list[Layer] = []
    side, channels = size, 3

    def add(kind: str, stride: int, outputs: int) -> None:
        nonlocal side, channels
        output_side = -(-side // stride)
        weights = {
            "conv": 9 * channels * outputs,
            "depthwise": 9 * outputs,
            "pointwise": channels * outputs,
        }[kind]
        layers.append(
            Layer(
                kind, stride, side, output_side, channels, outputs, weights + 2 * outputs, weights * output_side**2
            )
        )
        side, channels = output_side, outputs

    add("conv", 2, channels_of(STEM_CHANNELS, alpha))
    for base, stride in BLOCKS:
        add("depthwise", stride, channels)
        add("pointwise", 1, channels_of(base, alpha))
    layers.append(Layer("average-pool", 1, side, 1, channels, channels, 0, 0))
    weights = channels * classes
    layers.append(Layer("classifier", 1, 1, 1, channels, classes, weights + classes, weights))
    return layers


if __name__ == "__main__":
    alpha, size, classes = sys.argv[1:4]
    print(json.dumps([asdict(layer) for layer in layers_of(float(alpha), int(size), int(classes))]))
