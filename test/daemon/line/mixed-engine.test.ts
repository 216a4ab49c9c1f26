import { setImmediate as nextTurn } from 'node:timers/promises';
import t from 'tap';
import { MixedEngine, type StartEngine } from '#mobilenetd/daemon/line/mixed-engine.js';
import { codedError } from '#mobilenetd/errors.js';
import type { Engine } from '#mobilenetd/inference/engine.js';
import type { Variant } from '#mobilenetd/models/variant.js';
import { systemClock } from '#mobilenetd/time.js';

const variant = (name: string) => ({ name }) as Variant;
const FRAME = {} as Parameters<Engine['run']>[1];
const RUN = { topK: 1, threshold: 0, crop: null };

/** Engines that know what was loaded, and can be told to die. */
function createEngines(unloadable = '') {
  const said: string[] = [];
  const faults: ((error: Error) => void)[] = [];
  let count = 0;
  const start: StartEngine = async (onFault) => {
    const id = ++count;
    const loaded = new Set<string>();
    faults.push(onFault);
    return {
      async load({ name }: Variant) {
        if (name === unloadable) throw new Error(`${name} cannot be loaded`);
        loaded.add(name);
        return { ms: 1 };
      },
      async run(name: string) {
        if (!loaded.has(name)) throw new Error(`${name} is not loaded`);
        return { model: `${name} on ${id}` };
      },
      loaded: () => [...loaded],
      async close() {
        said.push(`closed ${id}`);
      },
    } as unknown as Engine;
  };
  return { start, said, fault: (index: number) => faults[index]?.(new Error('died')) };
}

function setUp(unloadable?: string) {
  const engines = createEngines(unloadable);
  const reported: string[] = [];
  const timers: (() => void)[] = [];
  const engine = new MixedEngine({
    start: engines.start,
    onFault: (error) => reported.push(error.message),
    clock: {
      ...systemClock,
      setTimer(run) {
        timers.push(run);
        return () => void timers.splice(timers.indexOf(run), 1);
      },
    },
  });
  const model = async () => (await engine.infer(FRAME, RUN)).model;
  return { ...engines, engine, model, reported, timers };
}

t.test('another engine takes over when it is ready, and the old one is closed', async (t) => {
  const { engine, model, start, said, fault, reported, timers } = setUp();
  await engine.open(variant('a'));
  t.equal(await model(), 'a on 1');
  const replacing = engine.replace(start, variant('b'));
  t.equal(await model(), 'a on 1', 'the old one serves until then');
  await replacing;
  t.equal(await model(), 'b on 2');
  t.same(said, ['closed 1']);
  fault(0);
  t.same([reported, timers.length], [[], 0], 'nobody minds what the old one does');
  fault(1);
  t.same([reported, timers.length], [['died'], 1]);
});

t.test('a variant that cannot be loaded changes nothing', async (t) => {
  const { engine, model, start, said } = setUp('b');
  await engine.open(variant('a'));
  await t.rejects(engine.replace(start, variant('b')), /cannot be loaded/);
  t.equal(await model(), 'a on 1');
  t.same(said, ['closed 2']);
});

t.test('a restart that waits does not come over the engine that replaces it', async (t) => {
  const { engine, model, start, fault, timers } = setUp();
  await engine.open(variant('a'));
  fault(0);
  t.equal(timers.length, 1);
  await t.rejects(engine.infer(FRAME, RUN), { code: 'MND_INFERENCE_CLOSED' });
  const [restart] = timers;
  restart?.();
  await engine.replace(start, variant('b'));
  await new Promise((resolve) => setImmediate(resolve));
  t.equal(await model(), 'b on 3');
});

/** An engine that answers in turn and keeps three variants, those that were used last. */
function crampedEngine() {
  const kept: string[] = [];
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => T): Promise<T> => {
    const answer = turn.then(async () => {
      await nextTurn();
      return work();
    });
    turn = answer.catch(() => {});
    return answer;
  };
  const use = (name: string) => {
    if (!kept.includes(name)) throw new Error(`${name} is not loaded`);
    kept.push(...kept.splice(kept.indexOf(name), 1));
  };
  const engine = {
    load: ({ name }: Variant) =>
      inTurn(() => {
        if (!kept.includes(name)) kept.push(name);
        use(name);
        kept.splice(0, kept.length - 3);
        return { ms: 1 };
      }),
    run: (name: string) =>
      inTurn(() => {
        use(name);
        return { model: name };
      }),
    profile: (name: string) =>
      inTurn(() => {
        use(name);
        return { minMs: 1 };
      }),
    loaded: () => kept,
    close: async () => {},
  } as unknown as Engine;
  return engine;
}

t.test('frames and measurements go on while the mix jumps to other rungs', async (t) => {
  const engine = crampedEngine();
  const mixed = new MixedEngine({ start: async () => engine, onFault: (error) => t.error(error) });
  await mixed.open(variant('a'));
  await mixed.use({ low: variant('b'), high: variant('a'), fraction: 0.5 });
  const rungs = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
  const rung = (index: number) => variant(rungs[index % rungs.length] ?? '');
  let isOver = false;
  let frames = 0;
  // As in the daemon: each of the three waits for its answer before it asks again.
  const camera = async () => {
    for (; !isOver; frames += 1) await mixed.infer(FRAME, RUN);
  };
  const measuring = async () => {
    for (let round = 0; !isOver; round += 5) await mixed.measure(rung(round));
  };
  const governor = async () => {
    for (let round = 0; round < 40; round += 1) {
      await mixed.use({ low: rung(2 * round), high: rung(2 * round + 1), fraction: 0.5 });
      for (let pause = 0; pause < round % 7; pause += 1) await nextTurn();
    }
    isOver = true;
  };
  await Promise.all([camera(), measuring(), governor()]);
  t.ok(frames > 40, `${frames} frames`);
  await mixed.close();
});

/** An engine that knows how each variant was loaded, and cannot compute classes of `odd` apart. */
function classEngine() {
  const loads: string[] = [];
  const engine = {
    async load({ name, keptClasses }: Variant) {
      if (name === 'odd' && keptClasses !== undefined) {
        throw codedError('MND_MODEL_OPERATOR', { subject: name });
      }
      if (name === 'broken') throw codedError('MND_MODEL_OPERATOR', { subject: name });
      loads.push(`${name}:${keptClasses?.join('+') ?? 'all'}`);
      return { ms: 1 };
    },
    run: async (name: string) => ({ model: name }),
    profile: async () => ({ minMs: 1 }),
    loaded: () => loads.map((load) => load.split(':')[0]),
    close: async () => {},
  } as unknown as Engine;
  return { engine, loads };
}

const summed = (name: string) => ({ name, sha256: `sum of ${name}` }) as Variant;

t.test('the classes that are wanted are computed, by every variant that is loaded', async (t) => {
  const { engine, loads } = classEngine();
  const mixed = new MixedEngine({
    start: async () => engine,
    onFault: (error) => t.error(error),
    keptOf: () => [1, 2],
  });
  await mixed.open(summed('a'));
  await mixed.use({ low: summed('b'), high: summed('a'), fraction: 0.5 });
  await mixed.measure(summed('c'));
  t.same(loads, ['a:1+2', 'a:1+2', 'b:1+2', 'c:1+2']);
  loads.length = 0;
  await mixed.setKept(() => [1, 2]);
  t.same(loads, [], 'the same ones are there already');
  await mixed.setKept(() => [1, 2, 7]);
  t.same(loads, ['a:1+2+7', 'b:1+2+7']);
  await mixed.setKept(() => null);
  t.same(loads.slice(2), ['a:all', 'b:all']);
  await mixed.close();
});

t.test(
  'a network whose classes cannot be computed apart runs whole, and that is said once',
  async (t) => {
    const { engine, loads } = classEngine();
    const said: string[] = [];
    const mixed = new MixedEngine({
      start: async () => engine,
      onFault: (error) => t.error(error),
      keptOf: () => [1],
      onWhole: ({ name }) => said.push(name),
    });
    await mixed.open(summed('odd'));
    await mixed.use({ low: summed('odd'), high: summed('odd'), fraction: 1 });
    await mixed.setKept(() => [2]);
    t.same(new Set(loads), new Set(['odd:all']));
    t.same(said, ['odd']);
    await t.rejects(
      mixed.replace(async () => engine, summed('broken')),
      { code: 'MND_MODEL_OPERATOR' },
    );
    t.same(said, ['odd'], 'it was not for the classes');
    await mixed.close();
  },
);
