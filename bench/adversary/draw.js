// Seeded draws for the adversary. Written apart from src/simulator on purpose: a governor
// that was tuned on one simulator is judged on another.

/** xorshift128: { next, between, log, int, pick, chance, normal }. */
export function createDraw(seed) {
  let [a, b, c, d] = [seed | 1, 0x159a55e5 ^ seed, 0x1f123bb5, 0x2545f491 ^ (seed << 7)];
  const next = () => {
    const t = d ^ (d << 11);
    d = c;
    c = b;
    b = a;
    a = a ^ (a >>> 19) ^ t ^ (t >>> 8);
    return (a >>> 0) / 4294967296;
  };
  for (let i = 0; i < 40; i += 1) next();
  const between = (low, high) => low + (high - low) * next();
  return {
    next,
    between,
    log: (low, high) => low * (high / low) ** next(),
    int: (low, high) => low + Math.floor(next() * (high - low + 1)),
    pick: (list) => list[Math.floor(next() * list.length)],
    chance: (p) => next() < p,
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
  };
}
