"""Folders of pictures, decoded once into one flat file of bytes that is mapped into memory."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

# Shorter side of a picture as it is kept, pixels: enough for a crop of half of it at 128 px.
KEPT_SIDE = 176
# Part of each side that a network sees when it is used, as the daemon's `centralCrop`.
CENTRAL = 0.875
BACKGROUND = "background"
SPLITS = ("train", "validation")
ENDINGS = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}


def find_labels(folders: list[Path]) -> list[str]:
    """All labels of all folders, sorted, the background first."""
    names = {
        entry.name
        for folder in folders
        for split in SPLITS
        for entry in sorted((folder / split).glob("*"))
        if entry.is_dir()
    }
    return sorted(names, key=lambda name: (name != BACKGROUND, name))


class Pictures:
    """The pictures of one folder, `FOLDER/{train,validation}/LABEL/*`, as RGB bytes."""

    def __init__(self, folder: Path, labels: list[str], cache: Path):
        self.folder = folder
        self.files = [
            (split, labels.index(path.parent.name), path)
            for split in SPLITS
            for path in sorted((folder / split).glob("*/*"))
            if path.suffix.lower() in ENDINGS and path.parent.name in labels
        ]
        if not any(split == "train" for split, _, _ in self.files):
            raise SystemExit(f"{folder}: expected pictures in train/LABEL/, found none")
        stem = cache / f"pictures-{folder.resolve().name}"
        listing = json.dumps([str(path.relative_to(folder)) for _, _, path in self.files])
        self._decode(stem, listing)
        self.places = np.load(stem.with_suffix(".npy"))
        self.bytes = np.memmap(stem.with_suffix(".bin"), dtype=np.uint8, mode="r")
        self.labels = np.array([label for _, label, _ in self.files])
        splits = np.array([split for split, _, _ in self.files])
        self.train = np.flatnonzero(splits == "train")
        self.validation = np.flatnonzero(splits == "validation")

    def _decode(self, stem: Path, listing: str) -> None:
        known = stem.with_suffix(".json")
        if known.exists() and known.read_text() == listing:
            return
        stem.parent.mkdir(parents=True, exist_ok=True)
        places, offset = [], 0
        with open(stem.with_suffix(".bin"), "wb") as out:
            for _, _, path in self.files:
                pixels = np.asarray(_kept(Image.open(path)))
                out.write(pixels.tobytes())
                places.append((offset, *pixels.shape[:2]))
                offset += pixels.nbytes
        np.save(stem.with_suffix(".npy"), np.array(places, dtype=np.int64))
        known.write_text(listing)

    def __len__(self) -> int:
        return len(self.files)

    def picture(self, index: int) -> Image.Image:
        offset, height, width = self.places[index]
        pixels = np.asarray(self.bytes[offset : offset + height * width * 3])
        return Image.fromarray(pixels.reshape(height, width, 3))


def _kept(picture: Image.Image) -> Image.Image:
    picture = picture.convert("RGB")
    scale = KEPT_SIDE / min(picture.size)
    if scale >= 1:
        return picture
    size = tuple(max(KEPT_SIDE, round(side * scale)) for side in picture.size)
    return picture.resize(size, Image.BILINEAR, reducing_gap=2.0)


def crop(picture: Image.Image, box: tuple, size: int, smooth: bool) -> np.ndarray:
    """The part `box` (left, top, right, bottom as shares, then flip) as [size, size, 3] bytes.

    `smooth` averages what is made smaller; the daemon's resizing does not, so networks meet both.
    """
    left, top, right, bottom, flip = box
    width, height = picture.size
    pixels = (left * width, top * height, right * width, bottom * height)
    if smooth:
        picture = picture.resize((size, size), Image.BILINEAR, box=pixels)
    else:
        picture = picture.transform((size, size), Image.EXTENT, pixels, Image.BILINEAR)
    if flip:
        picture = picture.transpose(Image.FLIP_LEFT_RIGHT)
    return np.asarray(picture)


def central(picture: Image.Image, size: int) -> np.ndarray:
    """What the daemon shows to a network: the central part, resized without averaging."""
    width, height = picture.size
    left, top = int(width * (1 - CENTRAL) / 2), int(height * (1 - CENTRAL) / 2)
    box = (left, top, width - left, height - top)
    return np.asarray(picture.transform((size, size), Image.EXTENT, box, Image.BILINEAR))
