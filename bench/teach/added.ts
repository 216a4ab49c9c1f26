import { createSessionPool } from '#mobilenetd/inference/sessions.js';
import type { Variant } from '#mobilenetd/models/variant.js';

const RUNS = 60;

/** Median milliseconds of an inference without an embedding and with one, in turn on one thread. */
export async function addedCost(
  variant: Variant,
): Promise<readonly [plain: number, asked: number]> {
  const contestants = await Promise.all(
    [variant, { ...variant, embedding: true }].map(async (entry) => {
      const pool = createSessionPool(1);
      await pool.load(entry);
      return { pool, loaded: pool.use(variant.name), times: [] as number[] };
    }),
  );
  for (let run = 0; run < RUNS; run += 1) {
    for (const { loaded, times } of contestants) {
      const started = performance.now();
      loaded.embeddingOf(await loaded.infer());
      times.push(performance.now() - started);
    }
  }
  for (const { pool } of contestants) await pool.close();
  const [plain = 0, asked = 0] = contestants.map(({ times }) => {
    return times.sort((a, b) => a - b)[RUNS / 2] ?? 0;
  });
  return [plain, asked];
}
