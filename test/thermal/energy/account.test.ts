import t from 'tap';
import {
  EnergyAccount,
  type EnergyBudget,
  type EnergySample,
} from '#mobilenetd/thermal/energy/account.js';

const BUDGET: EnergyBudget = { wattHours: 4, per: 'hour', power: { idleW: 2, fullW: 6 } };
const START = new Date(2026, 5, 1, 12, 0, 0).getTime();
const HOUR_S = 3600;

/** A board on which inference takes 0.9 of the CPU, and other programs a share of it. */
function play(
  account: EnergyAccount,
  {
    seconds,
    wanted = 1,
    foreign = () => 0,
    from = START,
    measure = () => null,
  }: {
    seconds: number;
    wanted?: number;
    foreign?: (s: number) => number;
    from?: number;
    measure?: (cpuUtil: number) => number | null;
  },
) {
  let load = 0;
  const loads: number[] = [];
  for (let s = 0; s < seconds; s += 1) {
    const ownCpu = 0.9 * load;
    const cpuUtil = Math.min(1, ownCpu + foreign(s));
    const sample: EnergySample = {
      nowMs: from + s * 1000,
      dtS: 1,
      cpuUtil,
      ownCpu,
      busy: load,
      watts: measure(cpuUtil),
    };
    const { mostLoad } = account.take(sample);
    load = Math.min(wanted, mostLoad);
    loads.push(load);
  }
  return loads;
}

function usedAtEnd(account: EnergyAccount): number {
  return account.record(START + HOUR_S * 1000 - 1).usedWh;
}

t.test('an even load spends the budget to its end', (t) => {
  const account = new EnergyAccount(BUDGET, START);
  const loads = play(account, { seconds: HOUR_S });
  const used = usedAtEnd(account);
  t.ok(used > 3.95 && used < 4.02, `${used} Wh`);
  // 4 Wh in an hour are 2 W more than idle: half of the CPU, which is 0.56 of inference.
  for (const s of [300, 1200, 2400]) t.ok(Math.abs((loads[s] ?? 0) - 0.555) < 0.02, `${loads[s]}`);
  t.end();
});

t.test('a quiet half leaves the rest to the other half', (t) => {
  const account = new EnergyAccount(BUDGET, START);
  const quiet = play(account, { seconds: HOUR_S / 2, wanted: 0.1 });
  const busy = play(account, { seconds: HOUR_S / 2, from: START + HOUR_S * 500 });
  t.ok((quiet[1000] ?? 1) <= 0.1);
  t.ok((busy[300] ?? 0) > 0.95, `${busy[300]}`);
  const used = usedAtEnd(account);
  t.ok(used <= 4.02, `${used} Wh`);
  t.end();
});

t.test('what others take is missing in our share, and the budget holds', (t) => {
  const account = new EnergyAccount(BUDGET, START);
  const loads = play(account, { seconds: HOUR_S, foreign: (s) => (s % 600 < 300 ? 0.4 : 0) });
  const used = usedAtEnd(account);
  t.ok(used > 3.9 && used < 4.05, `${used} Wh`);
  t.ok((loads[290] ?? 1) < (loads[590] ?? 0), 'less beside a neighbour');
  t.end();
});

t.test('a sensor is believed before the figures that were given', (t) => {
  const account = new EnergyAccount(BUDGET, START);
  play(account, { seconds: HOUR_S, measure: (cpuUtil) => 2.6 + 3 * cpuUtil });
  const used = usedAtEnd(account);
  t.ok(used > 3.95 && used < 4.03, `${used} Wh`);
  const said = account.take({
    nowMs: START + 3_599_000,
    dtS: 1,
    cpuUtil: 0,
    ownCpu: 0,
    busy: 0,
    watts: 2.6,
  });
  t.ok(said.isMeasured);
  t.equal(said.watts, 2.6);
  t.end();
});

t.test('a budget below the idle board leaves nothing, and says so', (t) => {
  const account = new EnergyAccount({ ...BUDGET, wattHours: 1 }, START);
  const state = account.take({
    nowMs: START,
    dtS: 1,
    cpuUtil: 0.1,
    ownCpu: 0.1,
    busy: 0.1,
    watts: null,
  });
  t.match(state, { mostLoad: 0, isTooLittle: true });
  t.end();
});

t.test('a restart goes on with the period, and another period begins anew', (t) => {
  const first = new EnergyAccount(BUDGET, START);
  play(first, { seconds: 1800 });
  const at = START + 1_800_000;
  const record = first.record(at);
  const away = new EnergyAccount(BUDGET, at + 600_000, record);
  // Ten minutes away count as idle: 2 W for a sixth of an hour.
  const more = away.record(at + 600_000).usedWh - record.usedWh;
  t.ok(Math.abs(more - 1 / 3) < 1e-9, `${more}`);
  t.equal(new EnergyAccount(BUDGET, START + 7_200_000, record).record(0).usedWh, 0);
  const late = new EnergyAccount(BUDGET, START + 900_000).record(0).usedWh;
  t.equal(late, 1, 'a first hour that is a quarter over has three quarters of the budget');
  const next = { nowMs: START + 3_600_000, dtS: 1, cpuUtil: 0, ownCpu: 0, busy: 0, watts: null };
  t.ok(first.take(next).usedWh < 0.001, 'the next hour begins at nothing');
  t.end();
});

t.test('a clock that is set back or far ahead never makes nonsense', (t) => {
  const account = new EnergyAccount(BUDGET, START);
  for (const nowMs of [START - 86_400_000, 0, START + 9e10, START]) {
    const state = account.take({
      nowMs,
      dtS: 1,
      cpuUtil: null,
      ownCpu: null,
      busy: 0.5,
      watts: null,
    });
    t.ok(state.mostLoad >= 0 && state.mostLoad <= 1 && state.usedWh >= 0, JSON.stringify(state));
  }
  t.end();
});
