#!/usr/bin/env python3
"""Trains a ladder: MobileNetV1 at several widths, each for several input sizes, on folders of pictures.

    train.py --data FOLDER[=SHARE] … --out DIR [--alphas 1,0.75,0.5,0.25] [--sizes 128,112,96,80]

A folder has `train/LABEL/*.jpg` and `validation/LABEL/*.jpg`. The result, DIR/ladder.json with
DIR/labels.txt and a .safetensors file a width, is what `mobilenetd models add DIR --ladder` takes.
Accuracy is that of the first folder's validation pictures. Interrupted, the same command goes on from its last checkpoint. See docs/train.md.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
import torch

from export import FORMAT, network_tensors, write_safetensors
from fine_tune import ladder_network
from learn import Recipe, Sampler, learn, load_average
from measure import accuracy, central_batches, estimate_norms, rounded
from network import MobileNetV1
from pictures import BACKGROUND, Pictures, find_labels
from targets import load_targets, run_teacher
from widen import widen

HERE = Path(__file__).resolve().parent
# Training pictures that batch-norm statistics are taken of.
STATISTICS = 800


def numbers(text: str, kind=float) -> list:
    return [kind(part) for part in text.split(",")]


def phases(text: str) -> tuple:
    """`64:3000,64+96:2000` to ((64,), 3000), ((64, 96), 2000)."""
    found = []
    for phase in text.split(","):
        sizes, steps = phase.split(":")
        found.append((tuple(int(size) for size in sizes.split("+")), int(steps)))
    return tuple(found)


def usual_phases(sizes: list[int], pictures: int, batch: int, epochs: float) -> tuple:
    """Half of the epochs at the least cost, then two mixtures of growing sizes."""
    per_epoch = pictures / batch
    small = max(32, min(sizes) // 2 // 16 * 16 + 16)
    middle = tuple(sorted({small, *sorted(sizes)[: max(1, len(sizes) // 2)]}))
    shares = (((small,), 0.4), (middle, 0.3), (tuple(sorted(sizes)), 0.3))
    return tuple((used, max(1, round(epochs * share * per_epoch))) for used, share in shares)


def parse_arguments(given: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", action="append", required=True, metavar="FOLDER[=SHARE]")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--name", help="of the ladder; default: that of the folder OUT")
    parser.add_argument("--labels", type=Path, help="file of the labels to train, one a line; default: all")
    parser.add_argument("--alphas", type=numbers, default=[1, 0.75, 0.5, 0.25])
    parser.add_argument("--sizes", type=lambda text: numbers(text, int), default=[128, 112, 96, 80])
    parser.add_argument("--epochs", type=float, default=40)
    parser.add_argument("--phases", type=phases, help="instead of --epochs, e.g. 64:3000,64+96:2000")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rate", type=float, default=2.5e-3)
    parser.add_argument("--colour", type=float, default=0.2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="auto: a GPU if there is one")
    parser.add_argument("--teacher", type=Path, help="a quantized MobileNetV2 .tflite that teaches features")
    parser.add_argument("--views", default="4", help="views the teacher sees; 4,2: of each folder")
    parser.add_argument("--from", dest="origin", type=Path, help="a trained ladder's folder to start from")
    parser.add_argument("--start", type=Path, help="a checkpoint of a narrower width to start from")
    parser.add_argument("--limit", type=int, help="use the first N labels only")
    parser.add_argument("--bits", type=int, choices=(8, 32), default=8, help="of the weights written")
    return parser.parse_args(given)


def main(given: list[str]) -> None:
    options = parse_arguments(given)
    torch.set_num_threads(options.threads)
    device = find_device(options.device)
    folders, shares, labels = open_data(options)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "labels.txt").write_text("".join(f"{label}\n" for label in labels))
    targets = teach(options, folders, len(labels))
    count = sum(len(pictures.train) for pictures in folders)
    plan = options.phases or usual_phases(options.sizes, count, options.batch, options.epochs)
    recipe = Recipe(phases=plan, batch=options.batch, rate=options.rate, colour=options.colour, seed=options.seed)
    print(f"{count} pictures, {len(labels)} labels; on {device}; {recipe}", flush=True)
    narrower: Path | None = options.start
    models = []
    # Narrow ones first: each wider one starts as the one before, widened.
    for alpha in sorted(options.alphas):
        began, cpu = time.time(), time.process_time()
        checkpoint = options.out / f"alpha-{alpha:g}.pt"
        network = first_network(options, alpha, len(labels), narrower, folders)
        sampler = Sampler(folders, shares, targets, recipe)

        def watch(average: MobileNetV1, sizes: tuple[int, ...]) -> None:
            size = max(sizes)
            top1, _ = accuracy(average, validation(folders, size))
            print(f"  alpha {alpha:g} at {size} px: {top1:.1f} % of validation", flush=True)

        network = learn(network, sampler, recipe, checkpoint, device, watch)
        took = {"hours": (time.time() - began) / 3600, "cpu_hours": (time.process_time() - cpu) / 3600}
        models.append(finish(options, alpha, network, folders, shares) | took)
        narrower = checkpoint
    write_ladder(options, labels, models)


def find_device(wanted: str) -> torch.device:
    """Where the student learns. Reading pictures, the teacher and the batch norms stay on the CPU."""
    if wanted == "cuda" and not torch.cuda.is_available():
        raise SystemExit("--device cuda: expected a GPU that this PyTorch can use, found none; use --device cpu")
    return torch.device("cuda" if wanted != "cpu" and torch.cuda.is_available() else "cpu")


def open_data(options: argparse.Namespace) -> tuple[list[Pictures], list[float], list[str]]:
    paths, given = [], []
    for text in options.data:
        path, _, share = text.partition("=")
        paths.append(Path(path))
        given.append(float(share) if share else None)
    labels = options.labels.read_text().split("\n") if options.labels else find_labels(paths)
    labels = [label for label in labels if label]
    if options.limit is not None:
        labels = labels[: options.limit]
    folders = [Pictures(path, labels, options.out / "cache") for path in paths]
    rest = 1 - sum(share for share in given if share is not None)
    open_count = sum(len(p.train) for p, share in zip(folders, given) if share is None)
    shares = [
        len(p.train) / open_count * rest if share is None else share for p, share in zip(folders, given)
    ]
    return folders, shares, labels


def teach(options: argparse.Namespace, folders: list[Pictures], classes: int):
    if options.teacher is None:
        return None
    views = numbers(options.views, int)
    places = [options.out / "cache" / f"teacher-{pictures.folder.resolve().name}" for pictures in folders]
    counts = [views[min(index, len(views) - 1)] for index in range(len(folders))]
    for pictures, place, count in zip(folders, places, counts):
        run_teacher(pictures, count, place, HERE / "teach.mjs", options.teacher)
    return load_targets(places, folders, counts, classes)


def first_network(
    options: argparse.Namespace, alpha: float, classes: int, narrower: Path | None, folders: list[Pictures]
) -> MobileNetV1:
    torch.manual_seed(options.seed)
    network = MobileNetV1(alpha, classes)
    if options.origin is not None:
        inputs = [x for x, _ in central_batches(folders, [p.train[:200] for p in folders], options.sizes[0])]
        ladder_network(options.origin, network, options.sizes[0], inputs)
    elif narrower is not None:
        old = load_average(narrower, classes)
        if old.alpha == alpha:
            return old
        widen(old, network, options.seed)
    return network


def validation(folders: list[Pictures], size: int):
    return central_batches(folders, [pictures.validation for pictures in folders], size)


def finish(
    options: argparse.Namespace,
    alpha: float,
    network: MobileNetV1,
    folders: list[Pictures],
    shares: list[float],
) -> dict:
    """Measures every size, and writes the weights with what each size needs."""
    random = np.random.default_rng(options.seed)
    # Each folder as in the batches: batch norms must see what they saw in training.
    used = [
        random.choice(p.train, min(len(p.train), max(1, round(STATISTICS * share))), replace=False)
        for p, share in zip(folders, shares)
    ]
    stored = rounded(network) if options.bits == 8 else network
    by_size, figures = {}, []
    for size in sorted(options.sizes, reverse=True):
        inputs = [x for x, _ in central_batches(folders, used, size)]
        own = estimate_norms(stored, inputs)
        by_size[size] = own
        # The first folder's; others, such as drawings, are told beside it.
        (top1, top5), *others = [accuracy(own, central_batches([p], [p.validation], size)) for p in folders]
        figures.append({"size": size, "top1": round(top1, 2), "top5": round(top5, 2)})
        for pictures, (other, _) in zip(folders[1:], others):
            figures[-1][pictures.folder.resolve().name] = round(other, 2)
        print(f"alpha {alpha:g} at {size} px: top-1 {top1:.1f} %, top-5 {top5:.1f} %", flush=True)
    file = f"alpha-{alpha:g}.safetensors"
    sizes = ",".join(str(size) for size in by_size)
    metadata = {"format": FORMAT, "family": "mobilenet_v1", "alpha": f"{alpha:g}", "sizes": sizes}
    write_safetensors(options.out / file, network_tensors(by_size, options.bits), metadata)
    return {"alpha": alpha, "file": file, "figures": figures}


def write_ladder(options: argparse.Namespace, labels: list[str], models: list[dict]) -> None:
    document = {
        "schema": 1,
        "name": options.name or options.out.resolve().name,
        "family": "mobilenet_v1",
        "labels": "labels.txt",
        "centralCrop": 0.875,
        "classes": len(labels),
        "command": ["train.py", *sys.argv[1:]],
        "seed": options.seed,
        "background": BACKGROUND in labels,
        "models": sorted(models, key=lambda model: -model["alpha"]),
    }
    (options.out / "ladder.json").write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
