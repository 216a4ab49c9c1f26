import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import type { Result } from '#mobilenetd/inference/result.js';
import { hotDaemon } from './hot-board.js';

const mirror = process.env.MOBILENETD_MODELS_MIRROR ?? '../shared/models';
/** Cheapest first. */
const NAMES = [
  'mobilenet_v1_0.25_128_quant',
  'mobilenet_v1_0.5_160_quant',
  'mobilenet_v1_0.75_192_quant',
];
const PICTURE = join(
  process.env.MOBILENETD_TEST_IMAGES ?? '../shared/images',
  'n01806143_peacock.JPEG',
);
const missing = [join(mirror, `${NAMES[0]}.tflite`), PICTURE].find((file) => !existsSync(file));

const LIMIT_C = 80;
const SPEED = 10;
/** Of each 100 s of the board the other program takes 40. */
const [BUSY_MS, REST_MS] = [40_000 / SPEED, 60_000 / SPEED];
const VISITS = 7;
/** Five seconds of the board: the use of the CPU is known after one, and frames on their way are no others. */
const SOON_MS = 5000 / SPEED;
const NEAR_MS = 20_000 / SPEED;

/** From and to, ms since the epoch. */
type Span = readonly [number, number];
const NONE = { before: Number.NaN, soon: Number.NaN, late: Number.NaN };
/** proc(5): USER_HZ, which has been 100 on every Linux of the last decades. */
const TICKS_A_SECOND = 100;

/** Burns a core for 40 of every 100 seconds of the board, and says when. */
const HOG = `
const round = () => {
  process.stdout.write('busy\\n');
  const end = Date.now() + ${BUSY_MS};
  while (Date.now() < end);
  process.stdout.write('rests\\n');
  setTimeout(round, ${REST_MS});
};
round();
`;

/** CPU time of a process since its start, s; proc(5), fields 14 and 15. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND;
}

/** A program that comes and goes, and what it takes of this machine's CPU. */
class Hog {
  /** When it became busy or began to rest, ms since the epoch. */
  readonly turns: { readonly at: number; readonly busy: boolean }[] = [];
  readonly #child: ChildProcess;
  #last: { readonly at: number; readonly seconds: number } | null = null;
  #share = 0;

  constructor() {
    this.#child = spawn(process.execPath, ['-e', HOG], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#child.stdout?.on('data', (chunk: Buffer) => {
      for (const word of chunk.toString().trim().split('\n')) {
        this.turns.push({ at: Date.now(), busy: word === 'busy' });
      }
    });
  }

  /** Share of the whole CPU since it was last asked, 0 to 1. */
  share(): number {
    const { pid, exitCode } = this.#child;
    if (pid === undefined || exitCode !== null) return 0;
    const now = { at: performance.now(), seconds: cpuSeconds(pid) };
    const before = this.#last;
    // The clock of processes ticks each 10 ms: what is read more often than that swings.
    if (before !== null && now.at - before.at < 95) return this.#share;
    this.#last = now;
    if (before !== null) {
      const ms = 1000 * (now.seconds - before.seconds);
      this.#share = Math.min(1, ms / (now.at - before.at) / cpus().length);
    }
    return this.#share;
  }

  stop(): void {
    this.#child.kill('SIGKILL');
  }
}

const mean = (values: readonly number[]) =>
  values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);

t.test(
  'beside a program that comes and goes, frames have the room that it leaves, at once',
  { skip: missing === undefined ? false : `there is no ${missing}`, timeout: 600_000 },
  async (t) => {
    const hog = new Hog();
    t.teardown(() => hog.stop());
    const daemon = await hotDaemon(t, {
      networks: NAMES,
      ...{ mirror, picture: PICTURE, fps: 10, limitC: LIMIT_C },
      ...{ board: 'pi4-case', ambientC: 22, fromC: 64, speed: SPEED, slower: 8 },
      others: () => hog.share(),
    });
    const seen: { readonly at: number; readonly result: Result }[] = [];
    const reasons: string[] = [];
    daemon.signals.on('labelled', ({ result }) => seen.push({ at: Date.now(), result }));
    daemon.signals.on('decision', (state) => {
      if (state.governs) reasons.push(state.decision.reason);
    });
    await daemon.start();
    while (hog.turns.length < 2 * VISITS) await delay(250);
    hog.stop();
    await daemon.stop();

    const peak = Math.max(...daemon.dieC);
    t.ok(peak < LIMIT_C, `the die stays below ${LIMIT_C} °C: ${peak.toFixed(2)}`);
    // Work of a frame stands for its accuracy: each network that costs more is more often right.
    const work = (spans: readonly Span[]) =>
      mean(
        seen
          .filter(({ at }) => spans.some(([from, to]) => at >= from && at < to))
          .map(({ result }) => NAMES.indexOf(result.model)),
      );
    // By then its visits are known.
    const later = hog.turns.slice(4);
    const turns = later.slice(0, -1).map(({ at, busy }, i) => {
      const end = later[i + 1]?.at ?? at;
      const before: Span = [at - NEAR_MS, at];
      const soon: Span = [at + SOON_MS, at + SOON_MS + NEAR_MS];
      const late: Span = [(at + end) / 2, end];
      return { busy, before, soon, late };
    });
    const figures = [true, false].map((wanted) => {
      const of = turns.filter(({ busy }) => busy === wanted);
      return {
        before: work(of.map(({ before }) => before)),
        soon: work(of.map(({ soon }) => soon)),
        late: work(of.map(({ late }) => late)),
      };
    });
    const [visits = NONE, rests = NONE] = figures;
    const shown = `${JSON.stringify({ visits, rests })}\n${reasons.slice(-30).join('\n')}`;
    t.ok(visits.late < rests.late - 0.15, `less beside it than without: ${shown}`);
    t.ok(visits.soon < visits.before, 'at once when it comes');
    t.ok(rests.soon > rests.before, 'at once when it rests');
    t.comment(JSON.stringify({ visits, rests }));
    t.ok(
      reasons.some((reason) => /other programs take \d+ % of the CPU/.test(reason)),
      'and the reason names it',
    );
    const store = daemon.openStore();
    const stays = [...store.events({ limit: 100 })].filter(({ label }) => label === 'peacock');
    t.equal(stays.length, 1, 'no label flaps: one event from the first frame to the last');
    store.close();
  },
);
