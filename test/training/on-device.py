"""Asks one step's losses of a student on PyTorch's `meta` device: what stayed on the CPU is an error there,
as it is with a GPU. Prints, for a whole batch and for batches with one part left behind, what came of it."""

import sys
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "training"))
from learn import losses, to_device
from network import MobileNetV1
from targets import Student, Targets

LABELS, PICTURES, TAUGHT = 5, 4, 2
META = torch.device("meta")


def outcome(student: Student, batch) -> str:
    try:
        _, _, loss = losses(student, batch, 1.0)
    except RuntimeError:
        return "refused"
    return str(loss.device)


maps = [torch.zeros(1, TAUGHT, channels, side, side) for channels, side in ((32, 7), (64, 4), (96, 2))]
soft = torch.zeros(1, TAUGHT, LABELS)
targets = Targets(np.zeros((1, TAUGHT, 5)), torch.zeros(1, TAUGHT, 256), maps, soft)
wanted = torch.arange(TAUGHT), targets.embeddings[0], [part[0] for part in maps]
batch = (
    torch.zeros(PICTURES, 3, 64, 64),
    torch.zeros(PICTURES, dtype=torch.long),
    torch.zeros(PICTURES, LABELS),
    wanted,
)
student = Student(MobileNetV1(0.25, LABELS), targets).to(META)
moved = to_device(batch, META)
print("moved", outcome(student, moved))
for left in range(len(batch)):
    print(f"without {left}", outcome(student, (*moved[:left], batch[left], *moved[left + 1 :])))
