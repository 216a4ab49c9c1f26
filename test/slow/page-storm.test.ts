import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import t from 'tap';
import { hashPassword } from '#mobilenetd/mqtt/broker/password.js';
import { freePort } from '../free-port.js';
import { broker, home, report } from '../integration/daemon-home.js';
import { runDaemon, writeConfig } from '../integration/daemon-process.js';
import type { AttackReport } from './page-attack.js';
import { soak } from './soak.js';

t.setTimeout(900_000);

const ROUNDS = soak(2, 4);
/** A little more than the ten seconds over which the daemon takes its medians. */
const PHASE_S = 13;
const HOSTILE = 2500 * ROUNDS;
const WATCHDOG_S = 10;
const TOKEN = 'token-of-the-tabs';
const MB = 1e6;

/** A service manager that notes when it was given a sign of life. */
function serviceManager(folder: string) {
  const told = join(folder, 'told');
  const program = join(folder, 'systemd-notify');
  writeFileSync(program, `#!/bin/sh\necho "$(date +%s%3N) $*" >> '${told}'\n`);
  chmodSync(program, 0o755);
  return {
    env: {
      // As the unit has it.
      MALLOC_ARENA_MAX: '2',
      NOTIFY_SOCKET: '@nobody',
      WATCHDOG_USEC: String(WATCHDOG_S * 1e6),
      PATH: `${folder}${delimiter}${process.env.PATH}`,
    },
    /** Longest time between two signs of life, s. */
    longestGap() {
      const text = existsSync(told) ? readFileSync(told, 'utf8') : '';
      const times = text
        .split('\n')
        .filter((line) => line.includes('WATCHDOG=1'))
        .map((line) => Number(line.split(' ', 1)[0]));
      const gaps = times.slice(1).map((time, index) => (time - (times[index] ?? time)) / 1000);
      return { count: times.length, longest: Math.max(0, ...gaps) };
    },
  };
}

async function attack(url: string, seed: number): Promise<AttackReport> {
  const script = new URL('./page-attack.js', import.meta.url).pathname;
  const given = [script, url, TOKEN, String(PHASE_S), String(HOSTILE / ROUNDS), String(seed)];
  const { stdout } = await promisify(execFile)(process.execPath, given, {
    maxBuffer: 64 * 1024 * 1024,
  });
  return JSON.parse(stdout);
}

function add(sum: Record<string, number>, more: Readonly<Record<string, number>>): void {
  for (const [status, count] of Object.entries(more)) sum[status] = (sum[status] ?? 0) + count;
}

function medianOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

t.test('a storm on the page: labels and the watchdog do not notice', async (t) => {
  const { folder, pictures } = await home(t);
  const { url: mqtt } = await broker(t);
  const manager = serviceManager(folder);
  const port = await freePort();
  const config = writeConfig(folder, {
    ...{ url: mqtt, cameras: ['canarycam'], pictures },
    more: {
      status: {
        listen: `127.0.0.1:${port}`,
        users: { anna: { password: await hashPassword('long and secret'), role: 'admin' } },
        tokens: {
          tabs: { sha256: createHash('sha256').update(TOKEN).digest('hex'), role: 'admin' },
        },
      },
    },
  });
  const before = readFileSync(config, 'utf8');
  const daemon = runDaemon(folder, config, manager.env);
  t.teardown(() => daemon.child.kill('SIGKILL'));
  const url = `http://127.0.0.1:${port}`;
  while (
    !(await fetch(`${url}/healthz`).then(
      ({ ok }) => ok,
      () => false,
    ))
  ) {
    if (daemon.child.exitCode !== null) throw new Error(daemon.log());
    await delay(200);
  }
  const ages = { quiet: [] as number[], storm: [] as number[] };
  const rates = { quiet: [] as number[], storm: [] as number[] };
  const sums = { tabs: {}, bodies: {}, hostile: {} };
  const wrong: string[] = [];
  let rss = 0;
  const look = async (phase: 'quiet' | 'storm') => {
    const { running, rss_mb: now } = await report(folder);
    ages[phase].push(running?.age_ms ?? Number.NaN);
    rates[phase].push(running?.fps ?? 0);
    rss = Math.max(rss, now);
  };
  for (let round = 0; round < ROUNDS; round += 1) {
    await delay(PHASE_S * 1000);
    await look('quiet');
    const looking = delay((PHASE_S - 1) * 1000).then(() => look('storm'));
    const found = await attack(url, round);
    await looking;
    for (const kind of ['tabs', 'bodies', 'hostile'] as const) add(sums[kind], found[kind]);
    wrong.push(...found.wrong);
  }
  const { count, longest } = manager.longestGap();
  t.comment(JSON.stringify({ ages, rates, rss, signs: count, longest, ...sums }));

  t.same(wrong, [], 'nothing is told to those without a login, and nothing is a defect');
  const answers: Record<string, number> = sums.hostile;
  const total = Object.values(answers).reduce((sum, each) => sum + each, 0);
  t.ok(total >= 0.9 * HOSTILE, `${total} hostile requests`);
  t.ok((answers['401'] ?? 0) > 0);
  const quiet = medianOf(ages.quiet);
  const storm = medianOf(ages.storm);
  t.ok(storm <= 3 * quiet + 25, `labels are ${storm} ms old in the storm, ${quiet} ms without`);
  // What else the machine does takes its part of two short phases.
  t.ok(medianOf(rates.storm) >= 0.6 * medianOf(rates.quiet), `${rates.storm} labels a second`);
  const least = (2 * ROUNDS * PHASE_S) / WATCHDOG_S;
  t.ok(count > least && longest < WATCHDOG_S, `${longest} s between two of ${count} signs of life`);
  t.ok(rss * MB < 400 * MB, `${rss} MB`);
  const now = await report(folder);
  t.same(now.running?.overrides, [], 'nothing was set');
  t.equal(readFileSync(config, 'utf8'), before);
  t.equal((await fetch(`${url}/healthz`)).status, 200);
  t.equal((await daemon.end('SIGTERM')).code, 0, daemon.log());
  t.notMatch(daemon.log(), /the page failed/);
});
