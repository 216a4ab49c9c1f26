"""The training loop of one width: one training serves all input sizes."""

from __future__ import annotations

import copy
import os
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from augment import nudge, random_box, recolour, to_input
from network import MobileNetV1
from pictures import Pictures, crop
from targets import Student, Targets

# What an average of the weights remembers of the step before, once it is warm.
AVERAGE = 0.998
LABEL_SMOOTHING = 0.1
# Share of the pictures that are seen as the teacher saw them; the others are cut anew each time, for a
# few fixed views are soon known by heart.
TAUGHT = 0.5
# Weight of the teacher's soft labels against the true ones.
SOFT = 0.6
CHECKPOINT_EVERY = 250


@dataclass(frozen=True)
class Recipe:
    """How one width is trained."""

    # Input sizes of each phase, of which every batch takes one, and the phase's steps.
    phases: tuple[tuple[tuple[int, ...], int], ...]
    batch: int = 32
    rate: float = 2.5e-3
    # On pointwise layers and the classifier alone: depthwise filters have so few weights (paper, §3.3).
    decay: float = 0.03
    warm_up: int = 100
    colour: float = 0.2
    teaching: float = 1.0
    seed: int = 1

    @property
    def steps(self) -> int:
        return sum(steps for _, steps in self.phases)

    def sizes_at(self, step: int) -> tuple[int, ...]:
        for sizes, steps in self.phases:
            if step < steps:
                return sizes
            step -= steps
        return self.phases[-1][0]

    def rate_at(self, step: int) -> float:
        """A linear warm-up, then half a cosine down to 0."""
        return self.rate * min(1, (step + 1) / self.warm_up) * 0.5 * (1 + np.cos(np.pi * step / self.steps))


class Sampler:
    """Draws batches: each folder has its share, each picture of a folder the same chance."""

    def __init__(
        self, folders: list[Pictures], shares: list[float], targets: list[Targets] | None, recipe: Recipe
    ):
        self.folders, self.shares, self.targets, self.recipe = folders, shares, targets, recipe
        self.random = np.random.default_rng(recipe.seed)

    def draw(self, size: int):
        """Inputs, labels, soft labels or None, and what the teacher made of some: places, embeddings, maps."""
        random = self.random
        counts = random.multinomial(self.recipe.batch, self.shares)
        pixels, labels, soft, taught, embeddings, maps = [], [], [], [], [], []
        for folder, count in enumerate(counts):
            pictures = self.folders[folder]
            for index in random.choice(pictures.train, count):
                mirrored = int(random.integers(2))
                if self.targets is None or random.random() >= TAUGHT:
                    box = random_box(random)
                    if self.targets is not None:
                        soft.append(self.targets[folder].soft[:, index].mean(0))
                else:
                    targets = self.targets[folder]
                    view = random.integers(len(targets.boxes))
                    *sides, flip = targets.boxes[view, index]
                    box = nudge(random, (*sides, int(flip) ^ mirrored), 0.02)
                    taught.append(len(pixels))
                    embeddings.append(targets.embeddings[view, index])
                    soft.append(targets.soft[view, index])
                    parts = [part[view, index] for part in targets.maps]
                    maps.append([part.flip(-1) for part in parts] if mirrored else parts)
                pixels.append(crop(pictures.picture(index), box, size, smooth=random.random() < 0.5))
                labels.append(pictures.labels[index])
        x = recolour(random, to_input(np.stack(pixels)), self.recipe.colour)
        x = x.contiguous(memory_format=torch.channels_last)
        wanted = None
        if embeddings:
            parts = [torch.stack(part).float() for part in zip(*maps)]
            wanted = torch.tensor(taught), torch.stack(embeddings).float(), parts
        return x, torch.tensor(labels), torch.stack(soft) if soft else None, wanted


def _optimizer(student: Student, recipe: Recipe) -> torch.optim.Optimizer:
    decayed, free = [], []
    for parameter in student.parameters():
        depthwise = parameter.ndim == 4 and parameter.shape[1] == 1
        (free if parameter.ndim == 1 or depthwise else decayed).append(parameter)
    groups = [{"params": decayed, "weight_decay": recipe.decay}, {"params": free, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=recipe.rate)


def learn(
    network: MobileNetV1, sampler: Sampler, recipe: Recipe, checkpoint: Path, device: torch.device, watch=None
) -> MobileNetV1:
    """Trains from where the checkpoint is, or from the network's weights; gives the averaged network.

    `watch(network, sizes)` is told the averaged network, which is on the device, at each checkpoint; what is
    given back is on the CPU.
    """
    torch.manual_seed(recipe.seed)
    targets = sampler.targets[0] if sampler.targets else None
    student = Student(network, targets).to(device, memory_format=torch.channels_last)
    average = copy.deepcopy(student)
    optimizer = _optimizer(student, recipe)
    step = _resume(checkpoint, student, average, optimizer)
    started, loss_sum, hits, seen = time.time(), 0.0, 0, 0
    while step < recipe.steps:
        for group in optimizer.param_groups:
            group["lr"] = recipe.rate_at(step)
        sizes = recipe.sizes_at(step)
        batch = to_device(sampler.draw(int(sampler.random.choice(sizes))), device)
        student.train()
        label_loss, right, loss = losses(student, batch, recipe.teaching)
        loss_sum += label_loss.item() * recipe.batch
        hits += right.item()
        seen += recipe.batch
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        step += 1
        _average_in(average, student, min(AVERAGE, step / (step + 50)))
        if step % 100 == 0:
            print(
                f"step {step}/{recipe.steps} {'+'.join(map(str, sizes))} px rate {recipe.rate_at(step):.5f} "
                f"loss {loss_sum / seen:.3f} right {100 * hits / seen:.1f} % "
                f"{time.time() - started:.0f} s, {time.process_time():.0f} CPU s",
                flush=True,
            )
            loss_sum, hits, seen = 0.0, 0, 0
        if step % CHECKPOINT_EVERY == 0 or step == recipe.steps:
            _save(checkpoint, student, average, optimizer, step)
            if watch is not None:
                watch(average.network, sizes)
    return average.network.eval().cpu()


def to_device(batch, device: torch.device):
    """What `Sampler.draw` gives, moved to where the student is."""
    if batch is None:
        return None
    if isinstance(batch, torch.Tensor):
        return batch.to(device)
    return type(batch)(to_device(part, device) for part in batch)


def losses(student: Student, batch, teaching: float) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The labels' loss, how many labels are right, and the loss that is to fall."""
    x, labels, soft, wanted = batch
    logits, embedding, taps = student(x)
    label_loss = _label_loss(logits, labels, soft)
    right = (logits.argmax(1) == labels).sum()
    if embedding is None or wanted is None:
        return label_loss, right, label_loss
    return label_loss, right, label_loss + teaching * student.teaching_loss(embedding, taps, *wanted)


def _label_loss(logits: torch.Tensor, labels: torch.Tensor, soft: torch.Tensor | None) -> torch.Tensor:
    if soft is None:
        return nn.functional.cross_entropy(logits, labels, label_smoothing=LABEL_SMOOTHING)
    # Soft labels smooth by themselves.
    true = torch.eye(logits.shape[1], device=labels.device)[labels]
    return nn.functional.cross_entropy(logits, torch.lerp(true, soft, SOFT))


def _average_in(average: nn.Module, student: nn.Module, keep: float) -> None:
    with torch.no_grad():
        for old, new in zip(average.state_dict().values(), student.state_dict().values()):
            if old.dtype.is_floating_point:
                old.lerp_(new, 1 - keep)
            else:
                old.copy_(new)


def _resume(checkpoint: Path, student: Student, average: Student, optimizer) -> int:
    if not checkpoint.exists():
        return 0
    state = torch.load(checkpoint, map_location="cpu")
    student.load_state_dict(state["student"])
    average.load_state_dict(state["average"])
    optimizer.load_state_dict(state["optimizer"])
    print(f"{checkpoint}: goes on after step {state['step']}", flush=True)
    return state["step"]


def _save(checkpoint: Path, student: Student, average: Student, optimizer, step: int) -> None:
    part = checkpoint.with_suffix(".part")
    state = {
        "alpha": student.network.alpha,
        "student": student.state_dict(),
        "average": average.state_dict(),
        "optimizer": optimizer.state_dict(),
        "step": step,
    }
    torch.save(state, part)
    os.replace(part, checkpoint)


def load_average(checkpoint: Path, classes: int) -> MobileNetV1:
    """The averaged network of a checkpoint."""
    state = torch.load(checkpoint, map_location="cpu")
    network = MobileNetV1(state["alpha"], classes)
    prefix = "network."
    own = {
        name.removeprefix(prefix): value
        for name, value in state["average"].items()
        if name.startswith(prefix)
    }
    network.load_state_dict(own)
    return network.eval()
