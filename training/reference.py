#!/usr/bin/env python3
"""Says how well a network that has seen a million other photographs could tell your labels apart.

    reference.py --data FOLDER --network MOBILENET.tflite [--size 128] [--work DIR]

A linear layer is fitted to the network's pooled features of the training pictures (the central part and one
random part of each), and asked about the validation pictures. What training from nothing reaches lies below:
what is missing to it, more of your photographs must bring. Needs Node and `npm run build`.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

from augment import random_box
from pictures import CENTRAL, Pictures, crop, find_labels
from targets import apply_linear, fit_linear

SCRIPT = Path(__file__).resolve().parent / "reference.mjs"
VIEWS = 2


def parse_arguments(given: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--network", type=Path, required=True, help="a quantized MobileNet V1 or V2, .tflite")
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--work", type=Path, help="folder for decoded pictures; default: one that goes again")
    return parser.parse_args(given)


def main(given: list[str]) -> None:
    options = parse_arguments(given)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as scratch:
        work = options.work or Path(scratch)
        labels = find_labels([options.data])
        pictures = Pictures(options.data, labels, work)
        views = [features(pictures, view, options, work / f"view-{view}.part") for view in range(VIEWS)]
        print(f"{options.network.stem} at {options.size} px: {share(torch.stack(views), pictures, labels):.1f} %")


def features(pictures: Pictures, view: int, options: argparse.Namespace, out: Path) -> torch.Tensor:
    """Pooled features [pictures, channels] of the central part (view 0) or of a random one."""
    random = np.random.default_rng(1000 + view)
    margin = (1 - CENTRAL) / 2
    central = (margin, margin, 1 - margin, 1 - margin, 0)
    command = ["node", str(SCRIPT), str(options.network), str(options.size), str(out)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as network:
        for index in range(len(pictures)):
            box = central if view == 0 else random_box(random)
            pixels = crop(pictures.picture(index), box, options.size, smooth=True)
            network.stdin.write(np.ascontiguousarray(pixels).tobytes())
        network.stdin.close()
    if network.returncode != 0:
        raise SystemExit(f"{SCRIPT} ended with {network.returncode}")
    return torch.from_numpy(np.fromfile(out, np.float32).reshape(len(pictures), -1))


def share(views: torch.Tensor, pictures: Pictures, labels: list[str]) -> float:
    """Percent of the validation pictures that the linear layer knows."""
    train, validation = torch.from_numpy(pictures.train), torch.from_numpy(pictures.validation)
    truth = torch.from_numpy(pictures.labels)
    standard = (views - views[0, train].mean(0)) / views[0, train].std()
    weight, bias = fit_linear(standard[:, train], truth[train], len(labels))
    best = apply_linear(standard[:1, validation], weight, bias)[0].argmax(-1)
    return 100 * (best == truth[validation]).float().mean().item()


if __name__ == "__main__":
    main(sys.argv[1:])
