"""MobileNetV1 (Howard et al. 2017, table 1) at a width multiplier α, as a PyTorch module."""

from __future__ import annotations

import torch
from torch import nn

from architecture import BLOCKS, STEM_CHANNELS, channels_of

# Of batch normalization, as in the published networks.
EPSILON = 1e-3


class SamePadding(nn.Module):
    """TensorFlow's `same` padding of a 3×3 window: with stride 2 and an even side, the odd pixel is at the end."""

    def __init__(self, stride: int):
        super().__init__()
        self.stride = stride

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.stride == 2 and x.shape[-1] % 2 == 0:
            return nn.functional.pad(x, (0, 1, 0, 1))
        return nn.functional.pad(x, (1, 1, 1, 1))


class ConvNorm(nn.Sequential):
    """A convolution, batch normalization and ReLU6."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, groups: int = 1):
        # With stride 1, or an odd side, `same` is a padding of one pixel on each side.
        padded = kernel == 3 and stride == 1
        layers: list[nn.Module] = [] if kernel == 1 or padded else [SamePadding(stride)]
        layers.append(
            nn.Conv2d(inputs, outputs, kernel, stride, int(padded), groups=groups, bias=False)
        )
        layers += [nn.BatchNorm2d(outputs, eps=EPSILON, momentum=0.03), nn.ReLU6(inplace=True)]
        super().__init__(*layers)

    @property
    def conv(self) -> nn.Conv2d:
        return self[-3]

    @property
    def norm(self) -> nn.BatchNorm2d:
        return self[-2]


class MobileNetV1(nn.Module):
    """Takes [batch, 3, size, size] in [-1, 1] and gives the logits; `embed` gives the pooled features."""

    def __init__(self, alpha: float, classes: int):
        super().__init__()
        self.alpha, self.classes = alpha, classes
        inputs = channels_of(STEM_CHANNELS, alpha)
        layers: list[nn.Module] = [ConvNorm(3, inputs, 3, 2)]
        for base, stride in BLOCKS:
            outputs = channels_of(base, alpha)
            layers.append(ConvNorm(inputs, inputs, 3, stride, groups=inputs))
            layers.append(ConvNorm(inputs, outputs, 1, 1))
            inputs = outputs
        self.layers = nn.Sequential(*layers)
        self.features = inputs
        self.dropout = nn.Dropout(0.0)
        self.classifier = nn.Linear(inputs, classes)
        for layer in layers:
            nn.init.kaiming_normal_(layer.conv.weight, mode="fan_out", nonlinearity="relu")
        nn.init.normal_(self.classifier.weight, 0, 0.01)
        nn.init.zeros_(self.classifier.bias)

    def embed(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(x).mean((2, 3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return project(self.classifier, self.dropout(self.embed(x))[:, :, None, None]).flatten(1)


def project(linear: nn.Linear, maps: torch.Tensor) -> torch.Tensor:
    """`linear` at each place of [batch, channels, height, width].

    As a 1×1 convolution, which oneDNN computes: a matrix product goes through whatever BLAS there is,
    and Debian's plain one was fifty times slower.
    """
    return nn.functional.conv2d(maps, linear.weight[:, :, None, None], linear.bias)
