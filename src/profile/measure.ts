import type { Frame } from '../camera/source.js';
import { codedError } from '../errors.js';
import { type Agreement, type Answers, COMPARED, compareAnswers } from '../inference/agreement.js';
import { median } from '../inference/median.js';
import { createFrameRunner } from '../inference/service.js';
import { createSessionPool, type LoadedVariant, type SessionPool } from '../inference/sessions.js';
import type { NumericForm, Variant } from '../models/variant.js';
import { sleep, systemClock } from '../time.js';
import { type FormCost, referenceForm } from './costs.js';

export interface ProfileRequest {
  /** One network at one input size in each of its forms. */
  readonly variants: readonly Variant[];
  /** Thread counts to measure, each at least 1. */
  readonly threads: readonly number[];
  /** Pictures on which the forms must agree. */
  readonly pictures: readonly Frame[];
  /** How often each form has its turn with each thread count, at least 1. */
  readonly rounds: number;
  /** Share of the time that is rested after each turn, below 1: heat, and who else works. */
  readonly rest: number;
}

/** A turn lasts about so long, and has at least one inference. */
const TURN_MS = 40;
const WARMUP = 2;

/**
 * Measures a network in every form and thread count. The forms take turns, so that a phase in which
 * the machine is slow meets them all alike. Meant for a process of its own: it blocks its thread, and
 * `cpuMs` counts the whole process.
 *
 * @throws what loading a model throws; MND_INTERNAL for options out of range
 */
export async function profileForms(request: ProfileRequest): Promise<FormCost[]> {
  const { variants, threads, rounds, rest } = request;
  if (variants.length === 0 || threads.length === 0 || !(rounds >= 1) || !(rest >= 0 && rest < 1)) {
    throw codedError('MND_INTERNAL', {
      subject: `profile of ${variants[0]?.name ?? 'nothing'}`,
      expected: 'a form, a thread count, a round and a rest below 1',
    });
  }
  const agreements = await measureAgreement(request);
  const costs: FormCost[] = [];
  for (const count of threads) {
    const turns = await measureTurns(request, count);
    for (const { form } of variants) {
      const agreement = agreements.get(form);
      const times = turns.get(form);
      if (agreement === undefined || times === undefined) continue;
      costs.push({ form, threads: count, ...times, agreement });
    }
  }
  return costs;
}

async function measureAgreement({
  variants,
  pictures,
}: ProfileRequest): Promise<Map<NumericForm, Agreement>> {
  const answers = new Map<NumericForm, Answers[]>();
  for (const variant of variants) {
    const pool = createSessionPool(1);
    await pool.load(variant);
    const look = createFrameRunner(pool);
    const found: Answers[] = [];
    for (const picture of pictures) {
      found.push((await look(variant.name, picture, COMPARED)).labels);
    }
    answers.set(variant.form, found);
    await pool.close();
  }
  const reference = referenceForm([...answers.keys()]);
  const expected = (reference && answers.get(reference)) ?? [];
  return new Map([...answers].map(([form, found]) => [form, compareAnswers(expected, found)]));
}

interface Contestant {
  readonly form: NumericForm;
  readonly pool: SessionPool;
  readonly loaded: LoadedVariant;
  readonly turns: { readonly ms: number; readonly leastMs: number; readonly cpuMs: number }[];
}

type Times = Pick<FormCost, 'medianMs' | 'minMs' | 'quietMs' | 'cpuMs'>;

async function measureTurns(
  { variants, rounds, rest }: ProfileRequest,
  threads: number,
): Promise<Map<NumericForm, Times>> {
  const contestants: Contestant[] = [];
  try {
    for (const variant of variants) {
      const pool = createSessionPool(threads);
      await pool.load({ ...variant, threads });
      const loaded = pool.use(variant.name);
      contestants.push({ form: variant.form, pool, loaded, turns: [] });
      for (let run = 0; run < WARMUP; run += 1) await loaded.infer();
    }
    for (let round = 0; round < rounds; round += 1) {
      for (let at = 0; at < contestants.length; at += 1) {
        const contestant = contestants[(at + round) % contestants.length];
        if (contestant === undefined) continue;
        const started = systemClock.now();
        await takeTurn(contestant);
        const pause = ((systemClock.now() - started) * rest) / (1 - rest);
        if (pause > 0) await sleep(systemClock, pause);
      }
    }
  } finally {
    for (const { pool } of contestants) await pool.close();
  }
  return new Map(
    contestants.map(({ form, turns }) => [
      form,
      {
        medianMs: median(turns.map(({ ms }) => ms)),
        minMs: Math.min(...turns.map(({ leastMs }) => leastMs)),
        quietMs: median(turns.map(({ leastMs }) => leastMs)),
        cpuMs: median(turns.map(({ cpuMs }) => cpuMs)),
      },
    ]),
  );
}

async function takeTurn({ loaded, turns }: Contestant): Promise<void> {
  const times: number[] = [];
  const before = process.cpuUsage();
  let spent = 0;
  while (spent < TURN_MS) {
    const started = systemClock.now();
    await loaded.infer();
    times.push(systemClock.now() - started);
    spent += times.at(-1) ?? 0;
  }
  const { user, system } = process.cpuUsage(before);
  turns.push({
    ms: median(times),
    leastMs: Math.min(...times),
    cpuMs: (user + system) / 1000 / times.length,
  });
}
