import t from 'tap';
import { createAccount } from '#mobilenetd/thermal/law/account.js';

const [CHEAP, DEAR] = [10, 16] as const;
const MIXED = (CHEAP + DEAR) / 2;

/** Whether frames are found to be mixed after two minutes of turns, slower by a factor. */
function isMixed(latencyOf: (named: number) => number, slower: number, isFree: boolean): boolean {
  const account = createAccount();
  for (let s = 0; s < 120; s += 1) {
    const named = s % 3 === 0 ? DEAR : CHEAP;
    const noise = 1 + 0.04 * Math.sin(7.3 * s);
    account.update(
      { latencyMs: latencyOf(named) * slower * noise, named, mixed: MIXED },
      isFree && slower === 1,
    );
  }
  return account.isMixed;
}

t.test('whole seconds and mixed frames are told apart, also beside a neighbour', (t) => {
  for (const slower of [1, 1.2, 1.3, 1.76, 2.5]) {
    for (const isFree of [true, false]) {
      t.notOk(
        isMixed((named) => named, slower, isFree),
        `whole seconds, ${slower}`,
      );
      t.ok(
        isMixed(() => MIXED, slower, isFree),
        `mixed, ${slower}`,
      );
    }
  }
  t.end();
});

t.test('one rung for ever tells by its level, where nobody waits', (t) => {
  const [free, busy] = [createAccount(), createAccount()];
  for (let s = 0; s < 60; s += 1) {
    free.update({ latencyMs: MIXED, named: DEAR, mixed: MIXED }, true);
    // A cheap rung that waits takes as long as the mix would: that says nothing.
    busy.update({ latencyMs: MIXED, named: CHEAP, mixed: MIXED }, false);
  }
  t.ok(free.isMixed);
  t.notOk(busy.isMixed);
  t.end();
});

t.test('what was before a pause is not compared with what comes after', (t) => {
  const account = createAccount();
  for (let s = 0; s < 60; s += 1) {
    account.update({ latencyMs: DEAR, named: s % 2 === 0 ? DEAR : CHEAP, mixed: DEAR }, false);
    account.pause();
  }
  t.notOk(account.isMixed);
  t.end();
});
