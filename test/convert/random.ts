/** The next pseudo-random whole number below a bound. */
export type Random = (below: number) => number;

/** Seeded pseudo-random whole numbers (mulberry32): the same sequence for the same seed. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((((mixed ^ (mixed >>> 14)) >>> 0) * below) / 2 ** 32) | 0;
  };
}

/**
 * A picture [1, height, width, 3] of random colours in blocks, so that neighbours resemble each other; a
 * square where no width is given.
 */
export function randomPicture(height: number, seed: number, width = height): Uint8Array {
  const random = createRandom(seed);
  const blocks = Uint8Array.from({ length: 64 * 3 }, () => random(256));
  const picture = new Uint8Array(height * width * 3);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const block = Math.floor((y * 8) / height) * 8 + Math.floor((x * 8) / width);
      for (let channel = 0; channel < 3; channel += 1) {
        const value = (blocks[block * 3 + channel] ?? 0) + random(33) - 16;
        picture[(y * width + x) * 3 + channel] = Math.max(0, Math.min(255, value));
      }
    }
  }
  return picture;
}
