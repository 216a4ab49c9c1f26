"""Writes a trained network as safetensors, as `src/convert/safetensors/` reads it."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import torch

from measure import round_weights
from network import MobileNetV1

FORMAT = "mobilenetd-ladder 1"
KINDS = {np.dtype(np.int8): "I8", np.dtype(np.float16): "F16", np.dtype(np.float32): "F32"}


def write_safetensors(file: Path, tensors: dict[str, np.ndarray], metadata: dict[str, str]) -> None:
    """The format of github.com/huggingface/safetensors: length, JSON header, values."""
    header: dict = {"__metadata__": metadata}
    offset = 0
    for name, values in tensors.items():
        header[name] = {
            "dtype": KINDS[values.dtype],
            "shape": list(values.shape),
            "data_offsets": [offset, offset + values.nbytes],
        }
        offset += values.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(file, "wb") as out:
        out.write(struct.pack("<Q", len(text)))
        out.write(text)
        for values in tensors.values():
            out.write(np.ascontiguousarray(values).tobytes())


def network_tensors(
    by_size: dict[int, MobileNetV1], bits: int
) -> dict[str, np.ndarray]:
    """Weights once (in 8 or 32 bits), and each size's scale and shift of every channel.

    All networks have the same weights; their batch norms differ.
    """
    first = next(iter(by_size.values()))
    tensors: dict[str, np.ndarray] = {}
    for index, layer in enumerate(first.layers):
        tensors |= _weights(f"layers.{index}", layer.conv.weight.detach(), bits)
    tensors |= _weights("classifier", first.classifier.weight.detach(), bits)
    tensors["classifier.bias"] = first.classifier.bias.detach().numpy().astype(np.float32)
    for size, network in by_size.items():
        for index, layer in enumerate(network.layers):
            scale, shift = folded(layer.norm)
            tensors[f"layers.{index}.scale.{size}"] = scale.numpy().astype(np.float16)
            tensors[f"layers.{index}.shift.{size}"] = shift.numpy().astype(np.float16)
    return tensors


def folded(norm: torch.nn.BatchNorm2d) -> tuple[torch.Tensor, torch.Tensor]:
    """Scale and shift that batch normalization comes to once its statistics are fixed."""
    scale = norm.weight.detach() / (norm.running_var + norm.eps).sqrt()
    return scale, norm.bias.detach() - norm.running_mean * scale


def _weights(name: str, weight: torch.Tensor, bits: int) -> dict[str, np.ndarray]:
    if bits == 32:
        return {f"{name}.weight": weight.numpy().astype(np.float32)}
    stored, scale = round_weights(weight)
    return {
        f"{name}.weight": stored.numpy().astype(np.int8),
        f"{name}.weight_scale": scale.numpy().astype(np.float32),
    }
