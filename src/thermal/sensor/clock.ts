import { join } from 'node:path';
import { namesIn, type Tree } from './tree.js';

/** Reads the processor's clock relative to its highest, 0 to 1; null where it cannot be read. Never rejects. */
export type ClockReader = () => Promise<number | null>;

/**
 * The mean of `scaling_cur_freq` over all clusters, relative to `cpuinfo_max_freq`. (Not to
 * `scaling_max_freq`: a kernel that cools lowers that one, and all would look well.) Where there is no cpufreq,
 * the answer of `vcgencmd measure_clock arm`, relative to the highest it ever gave.
 *
 * @param runMeasureClock rejects when there is no such program; null: do not try
 */
export function createClockReader(
  root: string,
  tree: Tree,
  runMeasureClock: (() => Promise<string>) | null,
): ClockReader {
  const folder = join(root, 'devices/system/cpu/cpufreq');
  let policies: readonly string[] | null = null;
  /** What never changes of a cluster is read once, kHz. */
  const highestOf = new Map<string, number>();
  let hasProgram = runMeasureClock !== null;
  let highestHz = 0;

  const measured = async (): Promise<number | null> => {
    if (!hasProgram || runMeasureClock === null) return null;
    const answer = await runMeasureClock().catch(() => null);
    hasProgram = answer !== null;
    const hz = answer === null ? null : parseMeasuredClock(answer);
    if (hz === null) return null;
    highestHz = Math.max(highestHz, hz);
    return hz / highestHz;
  };

  const shareOf = async (policy: string): Promise<number | null> => {
    const read = (file: string) =>
      tree.readText(join(folder, policy, file)).then(parseKiloHertz, () => null);
    const most = highestOf.get(policy) ?? (await read('cpuinfo_max_freq'));
    if (most !== null) highestOf.set(policy, most);
    const now = await read('scaling_cur_freq');
    return now === null || most === null ? null : Math.min(1, now / most);
  };

  return async () => {
    policies ??= (await namesIn(tree, folder)).filter((name) => /^policy\d+$/.test(name));
    if (policies.length === 0) return measured();
    const shares = (await Promise.all(policies.map(shareOf))).flatMap((share) => share ?? []);
    if (shares.length < policies.length) return null;
    return shares.reduce((sum, share) => sum + share, 0) / shares.length;
  };
}

/** `frequency(48)=1500345728`; Hz, or null for anything else. */
export function parseMeasuredClock(text: string): number | null {
  const hz = Number(/^frequency\(\d+\)=(\d{1,12})$/.exec(text.trim())?.[1] ?? Number.NaN);
  return hz > 0 ? hz : null;
}

function parseKiloHertz(text: string): number | null {
  const khz = /^\d{1,9}$/.test(text.trim()) ? Number(text) : 0;
  return khz > 0 ? khz : null;
}
