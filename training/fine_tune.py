"""Starts from a trained ladder's weights: `train.py --from DIR`."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import torch

from export import FORMAT
from network import MobileNetV1

KINDS = {"I8": np.int8, "F16": np.float16, "F32": np.float32}


def read_safetensors(file: Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    bytes_ = file.read_bytes()
    (length,) = struct.unpack("<Q", bytes_[:8])
    header = json.loads(bytes_[8 : 8 + length])
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        start, end = entry["data_offsets"]
        values = np.frombuffer(bytes_[8 + length + start : 8 + length + end], KINDS[entry["dtype"]])
        tensors[name] = values.reshape(entry["shape"])
    return tensors, metadata


def ladder_network(folder: Path, network: MobileNetV1, size: int, inputs: list[torch.Tensor]) -> None:
    """Sets all but the classifier to what the ladder's file of the same width has.

    A file holds folded batch norms. They are unfolded layer by layer with statistics of `inputs`
    ([batch, 3, size, size]), so that the network computes the same and can be trained on.
    """
    file = folder / f"alpha-{network.alpha:g}.safetensors"
    if not file.exists():
        raise SystemExit(f"--from: expected {file}, for the width {network.alpha:g}; found none")
    tensors, metadata = read_safetensors(file)
    if metadata.get("format") != FORMAT:
        raise SystemExit(f"{file}: expected the format {FORMAT!r}, found {metadata.get('format')!r}")
    sizes = [int(text) for text in metadata["sizes"].split(",")]
    nearest = min(sizes, key=lambda known: abs(known - size))
    x = torch.cat(inputs)
    with torch.no_grad():
        for index, layer in enumerate(network.layers):
            name = f"layers.{index}"
            weight = tensors[f"{name}.weight"].astype(np.float32)
            if f"{name}.weight_scale" in tensors:
                weight = weight * tensors[f"{name}.weight_scale"].reshape(-1, 1, 1, 1)
            layer.conv.weight.copy_(torch.from_numpy(weight))
            scale = torch.from_numpy(tensors[f"{name}.scale.{nearest}"].astype(np.float32))
            shift = torch.from_numpy(tensors[f"{name}.shift.{nearest}"].astype(np.float32))
            before = x
            for module in list(layer)[:-2]:
                before = module(before)
            variance, mean = torch.var_mean(before, (0, 2, 3), unbiased=False)
            norm = layer.norm
            norm.running_mean.copy_(mean)
            norm.running_var.copy_(variance)
            norm.weight.copy_(scale * (variance + norm.eps).sqrt())
            norm.bias.copy_(shift + scale * mean)
            x = layer[-1](before * scale[:, None, None] + shift[:, None, None])
