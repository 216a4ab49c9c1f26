"""What a teacher sees in fixed parts of the pictures: targets for the student's own features.

The teacher is any installed network (`teach.mjs` runs it); none of its weights is copied. For each of
some views of a picture it gives its pooled features and its linear maps at strides 8, 16 and 32,
averaged over coarse grids, which a student's maps at the same strides must predict through one 1×1
convolution each (Romero et al. 2015, "FitNets"). A linear layer on the pooled features, fitted to other
pictures than those it is asked about, gives soft labels (Hinton et al. 2015): which labels a picture
resembles, and how sure a far better network is.
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
# Of the linear layer that makes soft labels: parts that the pictures are split into, and its weight decay,
# the strongest of 1e-5, 1e-4 and 1e-3, which all know as many new pictures; this one knows how sure it is.
FOLDS = 5
HEAD_DECAY = 1e-3
HEAD_STEPS = 40


@dataclass
class Targets:
    """Views of one folder's pictures and what the teacher made of them, standardized."""

    boxes: np.ndarray  # [views, pictures, 5]
    embeddings: torch.Tensor  # [views, pictures, EMBEDDING]
    maps: list[torch.Tensor]  # each [views, pictures, channels, grid, grid]
    soft: torch.Tensor  # [views, pictures, labels]: probabilities


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


def load_targets(
    folders: list[Path], pictures: list[Pictures], views: list[int], classes: int
) -> list[Targets]:
    """The targets of each folder; the standard is that of the first folder's training pictures."""
    layout = json.loads((folders[0] / "view-0.json").read_text())
    width = sum(part["channels"] * part["grid"] ** 2 for part in layout)
    standard, found = None, []
    for folder, part_of, count in zip(folders, pictures, views):
        train = part_of.train
        boxes, embeddings, maps, features = [], [], [], []
        for view in range(count):
            rows = np.memmap(folder / f"view-{view}.bin", np.float32, "r").reshape(-1, width)
            if standard is None:
                standard = Standard(rows[train[::2]], layout)
            embedding, parts = standard.apply(rows)
            boxes.append(np.load(folder / f"boxes-{view}.npy"))
            embeddings.append(embedding)
            maps.append(parts)
            features.append(torch.from_numpy(rows[:, : layout[0]["channels"]].copy()))
        soft = soft_labels(torch.stack(features), part_of, classes)
        stacked = [torch.stack(p) for p in zip(*maps)]
        found.append(Targets(np.stack(boxes), torch.stack(embeddings), stacked, soft))
    return found


def soft_labels(features: torch.Tensor, pictures: Pictures, classes: int) -> torch.Tensor:
    """Probabilities [views, pictures, classes] of features [views, pictures, channels].

    Each training picture is asked of a layer that was fitted to the other folds: to one that knew it, it
    would be certain. Pictures that are not trained on keep probabilities of 0.
    """
    train = torch.from_numpy(pictures.train)
    mean, spread = features[0, train].mean(0), features[0, train].std()
    labels = torch.from_numpy(pictures.labels)
    soft = torch.zeros(*features.shape[:2], classes)
    for fold in range(FOLDS):
        asked, fitted = train[fold::FOLDS], train[torch.arange(len(train)) % FOLDS != fold]
        weight, bias = fit_linear((features[:2, fitted] - mean) / spread, labels[fitted], classes)
        logits = apply_linear((features[:, asked] - mean) / spread, weight, bias)
        soft[:, asked] = logits.softmax(-1)
    hits = (soft[0, train].argmax(-1) == labels[train]).float().mean().item()
    print(f"teacher: its linear layer knows {100 * hits:.1f} % of the pictures it was not fitted to", flush=True)
    return soft


def apply_linear(features: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    flat = features.reshape(-1, features.shape[-1], 1, 1)
    out = nn.functional.conv2d(flat, weight[:, :, None, None], bias)
    return out.reshape(*features.shape[:-1], len(bias))


def fit_linear(features: torch.Tensor, labels: torch.Tensor, classes: int):
    """Multinomial logistic regression over features [views, pictures, channels]."""
    weight = torch.zeros(classes, features.shape[-1], requires_grad=True)
    bias = torch.zeros(classes, requires_grad=True)
    wanted = labels.repeat(len(features))
    optimizer = torch.optim.LBFGS(
        [weight, bias], max_iter=HEAD_STEPS, history_size=10, line_search_fn="strong_wolfe"
    )

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        logits = apply_linear(features, weight, bias).flatten(0, 1)
        loss = nn.functional.cross_entropy(logits, wanted) + HEAD_DECAY * weight.square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    return weight.detach(), bias.detach()


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
