import { ALLOWANCE, fuzz } from './run.js';
import { TARGETS } from './targets.js';

/**
 * `npm run fuzz -- [COUNT] [SEED] [TARGET]`: reads COUNT damaged files in all (100 000 unless told),
 * an equal share of each kind, and prints one JSON object a kind. Exit status 1 if any ended in
 * anything but a coded error or a model that runs, took more than a second of CPU time, or more
 * memory than allowed.
 */
const count = Number(process.argv[2] ?? 100_000);
const seed = Number(process.argv[3] ?? 1);
const chosen = process.argv[4];

const targets = (await Promise.all(TARGETS.map((create) => create()))).filter(
  ({ name }) => chosen === undefined || name === chosen,
);
for (const target of targets) {
  const result = await fuzz(target, Math.ceil(count / targets.length), seed);
  console.log(JSON.stringify(result));
  const { failures, slowestMs, excessBytes } = result;
  if (failures.length > 0 || slowestMs > 1000 || excessBytes > ALLOWANCE) process.exitCode = 1;
}
