import { setImmediate } from 'node:timers/promises';
import t, { type Test } from 'tap';
import type { Frame } from '#mobilenetd/camera/source.js';
import { loadConfig } from '#mobilenetd/config/load.js';
import { type GovernorPartOptions, startGovernor } from '#mobilenetd/daemon/governor/governor.js';
import { createNetwork, type Network } from '#mobilenetd/daemon/line/network.js';
import type { Engine } from '#mobilenetd/inference/engine.js';
import type { Variant } from '#mobilenetd/models/variant.js';

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
  const network = createNetwork({ start: async () => engine, onFault: (error) => t.error(error) });
  await network.open(variant);
  const measuring = network.measure(variant);
  while (asked.filter((what) => what === '1 run').length < 3) await setImmediate();
  await network.infer({} as Frame, { topK: 1, threshold: 0 });
  t.equal(await measuring, 10);
  const runs = asked.lastIndexOf('1 run') - asked.indexOf('frame');
  t.ok(runs > 0, 'the frame was looked at before the measurement ended');
  t.equal(asked.filter((what) => what === '1 run').length, 9);
  await network.close();
});

t.test('a slow board is measured by few runs', async (t) => {
  const { engine, asked } = recordingEngine(4000);
  const network = createNetwork({ start: async () => engine, onFault: (error) => t.error(error) });
  await network.open(variant);
  t.equal(await network.measure(variant), 4000);
  t.equal(asked.filter((what) => what === '1 run').length, 2);
  await network.close();
});

function governorOf(t: Test, labelled: Promise<void>) {
  const measured: string[] = [];
  const network = {
    async measure({ name }: Variant) {
      measured.push(name);
      throw new Error('not measurable');
    },
  } as unknown as Network;
  const warnings: string[] = [];
  const log = {
    warn: (_: unknown, text: string) => warnings.push(text),
    error: (_: unknown, text: string) => t.fail(text),
  };
  const part = startGovernor({
    config: loadConfig({
      env: { MOBILENETD_STATE: t.testdir() },
      systemFile: '/nonexistent/config.yaml',
      boardModel: null,
    }).config,
    log,
    network,
    labelled,
    ladder: { variants: [variant, { ...variant, name: 'two' }], measuredMs: new Map() },
    thermometer: {
      simulated: null,
      speed: 1,
      read: async () => ({ tempC: 50, flags: null, cpuUtil: 0 }),
      costMs: () => null,
    },
  } as unknown as GovernorPartOptions);
  return { part, measured, warnings };
}

t.test('the first frame does not wait for measurements', async (t) => {
  let label = () => {};
  const labelled = new Promise<void>((resolve) => {
    label = resolve;
  });
  const { part, measured, warnings } = governorOf(t, labelled);
  for (let turn = 0; turn < 20; turn += 1) await setImmediate();
  t.strictSame(measured, [], 'none before it');
  label();
  await part.started;
  t.strictSame(measured, ['one', 'two']);
  t.equal(warnings.length, 2);
  await part.stop();
});

t.test('a stop does not wait for a frame that never comes', async (t) => {
  const { part, measured, warnings } = governorOf(t, new Promise(() => {}));
  await part.stop();
  t.strictSame(measured, []);
  t.strictSame(warnings, []);
});
