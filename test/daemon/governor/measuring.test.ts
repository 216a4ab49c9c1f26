import { setImmediate } from 'node:timers/promises';
import t, { type Test } from 'tap';
import type { Frame } from '#mobilenetd/camera/source.js';
import { loadConfig } from '#mobilenetd/config/load.js';
import type { Log } from '#mobilenetd/daemon/diagnostics/log.js';
import { BoardGovernor } from '#mobilenetd/daemon/governor/board-governor.js';
import { MixedEngine } from '#mobilenetd/daemon/line/mixed-engine.js';
import { governorSettingsOf } from '#mobilenetd/daemon/options/governor-settings.js';
import { Signals } from '#mobilenetd/daemon/signals.js';
import type { Engine } from '#mobilenetd/inference/engine.js';
import type { Result } from '#mobilenetd/inference/result.js';
import type { Variant } from '#mobilenetd/models/variant.js';
import { createFakeClock } from '../../fake-clock.js';

const variant = {
  name: 'one',
  alpha: 1,
  size: 224,
  accuracy: { top1: 70, map: null },
} as unknown as Variant;

/** An engine that answers in turn, and a list of what it was asked. */
function recordingEngine(minMs: number) {
  const asked: string[] = [];
  const answer = async <T>(what: string, value: T): Promise<T> => {
    asked.push(what);
    await setImmediate();
    return value;
  };
  const engine = {
    load: () => answer('load', { ms: 1 }),
    run: () => answer('frame', {}),
    profile: (_name: string, { runs }: { runs: number }) => answer(`${runs} run`, { minMs }),
    close: async () => {},
  } as unknown as Engine;
  return { engine, asked };
}

t.test('frames take turns with the runs of a measurement', async (t) => {
  const { engine, asked } = recordingEngine(10);
  const mixed = new MixedEngine({ start: async () => engine, onFault: (error) => t.error(error) });
  await mixed.open(variant);
  const measuring = mixed.measure(variant);
  while (asked.filter((what) => what === '1 run').length < 3) await setImmediate();
  await mixed.infer({} as Frame, { topK: 1, threshold: 0 });
  t.equal(await measuring, 10);
  const runs = asked.lastIndexOf('1 run') - asked.indexOf('frame');
  t.ok(runs > 0, 'the frame was looked at before the measurement ended');
  t.equal(asked.filter((what) => what === '1 run').length, 9);
  await mixed.close();
});

t.test('a slow board is measured by few runs', async (t) => {
  const { engine, asked } = recordingEngine(4000);
  const mixed = new MixedEngine({ start: async () => engine, onFault: (error) => t.error(error) });
  await mixed.open(variant);
  t.equal(await mixed.measure(variant), 4000);
  t.equal(asked.filter((what) => what === '1 run').length, 2);
  await mixed.close();
});

function governorOf(t: Test) {
  const measured: string[] = [];
  const warnings: string[] = [];
  const log = {
    warn: (_: unknown, text: string) => warnings.push(text),
    error: (_: unknown, text: string) => t.fail(text),
  } as unknown as Log;
  const signals = new Signals(log);
  const { config } = loadConfig({
    env: { MOBILENETD_STATE: t.testdir() },
    systemFile: '/nonexistent/config.yaml',
    boardModel: null,
  });
  const governor = new BoardGovernor({
    settings: governorSettingsOf(config),
    ladder: {
      variants: [variant, { ...variant, name: 'two' }],
      measuredMs: new Map(),
      ways: new Map(),
      scaleOf: null,
    },
    thermometer: {
      simulated: null,
      speed: 1,
      read: async () => ({ tempC: 50, flags: null, cpuUtil: 0 }),
      costMs: () => null,
    },
    engine: {
      mix: () => null,
      use: async () => {},
      async measure({ name }) {
        measured.push(name);
        throw new Error('not measurable');
      },
    },
    cameras: () => [],
    stats: () => ({ labelled: 0, failed: 0, refused: 0, busyMs: 0, lookingMs: null }),
    record: () => {},
    signals,
    clock: createFakeClock(),
    log,
  });
  const label = () => signals.emit('labelled', { result: {} as Result, frame: {} as Frame });
  return { governor, label, measured, warnings };
}

t.test('the first frame does not wait for measurements', async (t) => {
  const { governor, label, measured, warnings } = governorOf(t);
  for (let turn = 0; turn < 20; turn += 1) await setImmediate();
  t.strictSame(measured, [], 'none before it');
  label();
  await governor.started;
  t.strictSame(measured, ['one', 'two']);
  t.equal(warnings.length, 2);
  await governor.stop();
});

t.test('a stop does not wait for a frame that never comes', async (t) => {
  const { governor, measured, warnings } = governorOf(t);
  await governor.stop();
  t.strictSame(measured, []);
  t.strictSame(warnings, []);
});
