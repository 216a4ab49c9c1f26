"""What one input size needs of its own: batch-norm statistics; and how accurate it is."""

from __future__ import annotations

import copy

import numpy as np
import torch
from torch import nn

from augment import to_input
from network import MobileNetV1
from pictures import Pictures, central

BATCH = 50


def rounded(network: MobileNetV1) -> MobileNetV1:
    """A copy whose weights are those that eight bits a weight and a scale a channel can hold."""
    made = copy.deepcopy(network)
    with torch.no_grad():
        for layer in [*(layer.conv for layer in made.layers), made.classifier]:
            stored, scale = round_weights(layer.weight)
            layer.weight.copy_(stored * scale.reshape(-1, *[1] * (stored.ndim - 1)))
    return made


def round_weights(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Whole numbers in [-127, 127] and one scale for each output."""
    scale = weight.flatten(1).abs().max(1).values.clamp_min(1e-12) / 127
    shaped = scale.reshape(-1, *[1] * (weight.ndim - 1))
    return (weight / shaped).round().clamp(-127, 127), scale


def central_batches(folders: list[Pictures], indices: list[np.ndarray], size: int):
    """The pictures as the daemon shows them: batches of inputs and labels."""
    for pictures, chosen in zip(folders, indices):
        for start in range(0, len(chosen), BATCH):
            part = chosen[start : start + BATCH]
            pixels = np.stack([central(pictures.picture(index), size) for index in part])
            yield to_input(pixels), torch.from_numpy(pictures.labels[part])


def estimate_norms(network: MobileNetV1, inputs: list[torch.Tensor]) -> MobileNetV1:
    """A copy with batch-norm statistics of these inputs, averaged over the batches."""
    made = copy.deepcopy(network).train()
    for module in made.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.reset_running_stats()
            module.momentum = None
    with torch.no_grad():
        for x in inputs:
            made(x.to(device_of(made)))
    return made.eval()


def device_of(network: MobileNetV1) -> torch.device:
    return network.classifier.weight.device


def accuracy(network: MobileNetV1, batches) -> tuple[float, float]:
    """Top-1 and top-5, percent."""
    first = fifth = count = 0
    network.eval()
    with torch.no_grad():
        for x, labels in batches:
            best = network(x.to(device_of(network))).topk(min(5, network.classes)).indices.cpu()
            hits = best == labels[:, None]
            first += hits[:, 0].sum().item()
            fifth += hits.any(1).sum().item()
            count += len(labels)
    return 100 * first / count, 100 * fifth / count
