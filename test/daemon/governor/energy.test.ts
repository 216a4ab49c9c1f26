import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Log } from '#mobilenetd/daemon/diagnostics/log.js';
import { EnergyKeeper } from '#mobilenetd/daemon/governor/energy.js';

const START = new Date(2026, 5, 1, 12, 0, 0).getTime();
const BUSY = { dtS: 1, cpuUtil: 0.75, ownCpu: 0.75, busy: 0.75 };

function keeperOf(root: string, wattHours: number, clock: { nowMs: number }) {
  const lines: string[] = [];
  const write = (level: string) => (_: object, text: string) => lines.push(`${level} ${text}`);
  const log = { info: write('info'), warn: write('warn') } as unknown as Log;
  const budget = { wattHours, per: 'hour', power: { idleW: 2, fullW: 6 } } as const;
  const file = join(root, 'energy.json');
  const settings = { budget, sensor: 'auto', sysfsRoot: root, file };
  return { keeper: new EnergyKeeper(settings, log, { wall: () => clock.nowMs }), lines, file };
}

t.test('what was drawn outlives a restart; a damaged record counts as none', async (t) => {
  const clock = { nowMs: START };
  const { keeper, file } = keeperOf(t.testdir(), 4, clock);
  for (let s = 0; s < 400; s += 1) {
    clock.nowMs = START + s * 1000;
    await keeper.take(BUSY);
  }
  const saved = JSON.parse(readFileSync(file, 'utf8'));
  t.ok(saved.usedWh > 0.4 && saved.usedWh < 0.43, `${saved.usedWh} Wh after five minutes at 5 W`);
  keeper.save();
  const root = join(file, '..');
  const next = await keeperOf(root, 4, clock).keeper.take(BUSY);
  t.ok(next.usedWh > 0.55, `${next.usedWh}`);
  for (const text of ['', '{', 'null', '{"startMs":"x"}']) {
    writeFileSync(file, text);
    const fresh = await keeperOf(root, 4, clock).keeper.take(BUSY);
    t.ok(Math.abs(fresh.usedWh - 4 * (399 / 3600)) < 0.01, `as if spent evenly: ${text}`);
  }
});

t.test('what it goes by is said once, and a budget that is too small once', async (t) => {
  const clock = { nowMs: START };
  const { keeper, lines } = keeperOf(t.testdir(), 1, clock);
  for (let s = 0; s < 30; s += 1) await keeper.take(BUSY);
  t.equal(lines.length, 2, lines.join('\n'));
  t.match(lines[0], /info .* 1 Wh each hour for the board, reckoned from 2 W idle and 6 W busy/);
  t.match(
    lines[1],
    /warn .* leaves 1\.0\d? W .* draws 5\.00 W: .* raise governor\.energy\.watt_hours/,
  );
});

t.test('a chip that measures power is used', async (t) => {
  const root = t.testdir();
  mkdirSync(join(root, 'class/hwmon/hwmon1'), { recursive: true });
  writeFileSync(join(root, 'class/hwmon/hwmon1/power1_input'), '3300000\n');
  const { keeper, lines } = keeperOf(root, 4, { nowMs: START });
  t.match(await keeper.take(BUSY), { watts: 3.3, isMeasured: true });
  t.match(lines[0], /as its sensor says/);
});
