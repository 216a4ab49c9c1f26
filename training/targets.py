"""What a teacher sees in fixed parts of the pictures: targets for the student's own features.

The teacher is any installed network (`teach.mjs` runs it); none of its weights is copied. For each of
some views of a picture it gives its pooled features and its linear maps at strides 8, 16 and 32,
averaged over coarse grids, which a student's maps at the same strides must predict through one 1×1
convolution each (Romero et al. 2015, "FitNets").
"""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from augment import random_box
from network import MobileNetV1, project
from pictures import CENTRAL, Pictures, crop

TEACHER_SIZE = 224
# Index of the student's layer at the end of strides 8, 16 and 32.
TAPS = (10, 22, 26)
# Directions of the teacher's pooled features that are kept.
EMBEDDING = 256


@dataclass
class Targets:
    """Views of one folder's pictures and what the teacher made of them, standardized."""

    boxes: np.ndarray  # [views, pictures, 5]
    embeddings: torch.Tensor  # [views, pictures, EMBEDDING]
    maps: list[torch.Tensor]  # each [views, pictures, channels, grid, grid]


def run_teacher(pictures: Pictures, views: int, folder: Path, script: Path, network: Path) -> None:
    """Runs the teacher over the central view and `views - 1` random ones; does what is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    for view in range(views):
        done = folder / f"view-{view}.bin"
        if done.exists():
            continue
        random = np.random.default_rng(1000 + view)
        margin = (1 - CENTRAL) / 2
        central = (margin, margin, 1 - margin, 1 - margin, 0)
        boxes = [central if view == 0 else random_box(random) for _ in range(len(pictures))]
        part = done.with_suffix(".part")
        with subprocess.Popen(
            ["node", str(script), str(network), str(part)], stdin=subprocess.PIPE
        ) as teacher:
            for index, box in enumerate(boxes):
                pixels = crop(pictures.picture(index), box, TEACHER_SIZE, smooth=True)
                teacher.stdin.write(pixels.tobytes())
            teacher.stdin.close()
        if teacher.returncode != 0:
            raise SystemExit(f"teacher: {script} ended with {teacher.returncode}")
        np.save(folder / f"boxes-{view}.npy", np.array(boxes, dtype=np.float32))
        part.rename(done)
    layout = json.loads((folder / "view-0.json").read_text())
    print(f"teacher: {views} views of {len(pictures)} pictures, {layout}", flush=True)


class Standard:
    """Brings the teacher's features to mean 0 and variance about 1; made from the first folder."""

    def __init__(self, rows: np.ndarray, layout: list[dict]):
        self.layout = layout
        features = layout[0]["channels"]
        embedding = rows[:, :features].astype(np.float64)
        self.mean = embedding.mean(0)
        values, vectors = np.linalg.eigh(np.cov(embedding.T))
        values, vectors = values[::-1][:EMBEDDING], vectors[:, ::-1][:, :EMBEDDING]
        # Halfway to whitening: small directions count, but less than large ones.
        directions = vectors / values.clip(1e-9) ** 0.25
        self.directions = directions / ((embedding - self.mean) @ directions).std()
        self.maps = []
        for at, grid, channels in self._parts():
            flat = rows[:, at : at + grid * grid * channels].reshape(-1, channels).astype(np.float64)
            spread = flat.var(0)
            self.maps.append((flat.mean(0), np.sqrt(spread + 0.25 * spread.mean())))

    def _parts(self):
        at = self.layout[0]["channels"]
        for part in self.layout[1:]:
            yield at, part["grid"], part["channels"]
            at += part["grid"] ** 2 * part["channels"]

    def apply(self, rows: np.ndarray) -> tuple[torch.Tensor, list[torch.Tensor]]:
        features = self.layout[0]["channels"]
        embedding = (rows[:, :features] - self.mean) @ self.directions
        maps = []
        for (at, grid, channels), (mean, spread) in zip(self._parts(), self.maps):
            part = rows[:, at : at + grid * grid * channels].reshape(-1, grid, grid, channels)
            maps.append(torch.from_numpy(((part - mean) / spread).astype(np.float16)).permute(0, 3, 1, 2))
        return torch.from_numpy(embedding.astype(np.float16)), maps


def load_targets(folders: list[Path], trains: list[np.ndarray], views: list[int]) -> list[Targets]:
    """The targets of each folder; the standard is that of the first folder's training pictures."""
    layout = json.loads((folders[0] / "view-0.json").read_text())
    width = sum(part["channels"] * part["grid"] ** 2 for part in layout)
    standard, found = None, []
    for folder, train, count in zip(folders, trains, views):
        boxes, embeddings, maps = [], [], []
        for view in range(count):
            rows = np.memmap(folder / f"view-{view}.bin", np.float32, "r").reshape(-1, width)
            if standard is None:
                standard = Standard(rows[train[::2]], layout)
            embedding, parts = standard.apply(rows)
            boxes.append(np.load(folder / f"boxes-{view}.npy"))
            embeddings.append(embedding)
            maps.append(parts)
        found.append(
            Targets(np.stack(boxes), torch.stack(embeddings), [torch.stack(p) for p in zip(*maps)])
        )
    return found


class Student(nn.Module):
    """A network with the projections that predict the teacher's features; only for training."""

    def __init__(self, network: MobileNetV1, targets: Targets | None):
        super().__init__()
        self.network = network
        self.embedding, self.maps = None, nn.ModuleList()
        if targets is None:
            return
        self.embedding = nn.Linear(network.features, targets.embeddings.shape[-1])
        for tap, maps in zip(TAPS, targets.maps):
            outputs = network.layers[tap].conv.out_channels
            self.maps.append(nn.Linear(outputs, maps.shape[2]))

    def forward(self, x: torch.Tensor):
        """Logits, predicted embedding and maps (at the network's own sides)."""
        taps = []
        for index, layer in enumerate(self.network.layers):
            x = layer(x)
            if index in TAPS:
                taps.append(x)
        pooled = x.mean((2, 3), keepdim=True)
        logits = project(self.network.classifier, pooled).flatten(1)
        if self.embedding is None:
            return logits, None, []
        return logits, project(self.embedding, pooled).flatten(1), taps

    def teaching_loss(self, embedding, taps, taught, wanted_embedding, wanted_maps) -> torch.Tensor:
        """Mean squares of what is predicted of the pictures at the places `taught` in the batch."""
        loss = (embedding[taught] - wanted_embedding).square().mean()
        for projection, tap, wanted in zip(self.maps, taps, wanted_maps):
            pooled = nn.functional.adaptive_avg_pool2d(tap[taught], wanted.shape[-1])
            loss = loss + (project(projection, pooled) - wanted).square().mean()
        return loss
