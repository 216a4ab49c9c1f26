import t from 'tap';
import type { Outcome } from '#mobilenetd/notify/channel.js';
import { Lane } from '#mobilenetd/notify/lane.js';
import { createFakeClock, settle } from '../fake-clock.js';
import { messageOf } from './server.js';

const DONE: Outcome = { kind: 'done' };
const later = (afterMs: number | null = null): Outcome => ({ kind: 'later', why: 'away', afterMs });

function setUp(outcomes: Outcome[], maxRows = 5) {
  const clock = createFakeClock();
  const rows: { id: number; created: number; payload: string }[] = [];
  const sent: { payload: string; at: number }[] = [];
  const lines: string[] = [];
  let payload = '';
  let attempts = 0;
  const write = (_: object, line: string) => void lines.push(line);
  const lane = new Lane({
    ...{ rule: 'r', channel: 'webhook', target: 'http://x', clock },
    backoff: { next: () => 1000, reset() {} },
    log: { debug: write, info: write, warn: write, error: write },
    async messageOf(text) {
      payload = text;
      return text === 'odd' ? null : messageOf();
    },
    async send() {
      if (payload.startsWith('throws')) attempts += 1;
      if (payload === 'throws') throw new URIError('http://secret.example/?key=1');
      if (payload === 'throws once' && attempts === 1) throw new RangeError('odd');
      sent.push({ payload, at: clock.now() });
      return outcomes.shift() ?? DONE;
    },
    queue: {
      next: () => rows[0] ?? null,
      remove(id) {
        const index = rows.findIndex((row) => row.id === id);
        return index >= 0 && rows.splice(index, 1).length > 0;
      },
      trim: () => rows.splice(0, Math.max(0, rows.length - maxRows)).length,
      waiting: () => rows.length,
    },
  });
  let last = 0;
  const add = (text: string) => {
    last += 1;
    rows.push({ id: last, created: clock.wall(), payload: text });
    lane.wake();
  };
  return { clock, lane, rows, sent, lines, add };
}

t.test('in order, and again after a failure, which is told of once', async (t) => {
  const { clock, lane, sent, lines, add } = setUp([later(), later(), later(5000)]);
  add('a');
  add('b');
  await clock.advance(500);
  t.match(lane.report(), { waiting: 2, sent: 0, error: 'away' });
  await clock.advance(60_000);
  t.same(sent, [
    { payload: 'a', at: 0 },
    { payload: 'a', at: 1000 },
    { payload: 'a', at: 2000 },
    { payload: 'a', at: 7000 },
    { payload: 'b', at: 7000 },
  ]);
  t.match(lane.report(), { waiting: 0, sent: 2, error: null, since: null });
  t.equal(lines.filter((line) => line.includes('away')).length, 1);
  t.equal(lines.filter((line) => line.includes('works again')).length, 1);
});

t.test('what is never taken does not hold up the rest', async (t) => {
  const { clock, lane, rows, add } = setUp([{ kind: 'never', why: 'too large' }]);
  add('large');
  add('odd');
  add('fine');
  await clock.advance(10_000);
  t.same(rows, []);
  t.match(lane.report(), { sent: 1, refused: 2, error: null });
});

t.test('a failure that nobody foresaw ends neither the lane nor the daemon', async (t) => {
  for (const [text, sent, refused] of [
    ['throws', 1, 1],
    ['throws once', 2, 0],
  ] as const) {
    const { clock, lane, rows, lines, add } = setUp([]);
    add(text);
    add('fine');
    await clock.advance(60_000);
    t.same(rows, [], text);
    t.match(lane.report(), { sent, refused, waiting: 0 });
    t.notMatch(lines.join('\n'), /secret/);
    t.match(lines.join('\n'), /cannot be sent \((URI|Range)Error\)/);
  }
  const unreadable = setUp([]);
  unreadable.add('odd');
  unreadable.add('fine');
  await unreadable.clock.advance(10_000);
  t.match(unreadable.lane.report(), { sent: 1, refused: 1 });
});

t.test('a queue has a bound, and a stop keeps what waits', async (t) => {
  const { clock, lane, rows, lines, add } = setUp(Array.from({ length: 1000 }, () => later()));
  for (let each = 0; each < 100; each += 1) add(`e${each}`);
  await clock.advance(3000);
  t.ok(rows.length < 5 + 20);
  t.match(lane.report(), { given_up: 100 - rows.length, waiting: rows.length });
  t.ok(lines.filter((line) => line.includes('given up')).length <= 2, 'not said 95 times');
  const left = rows.length;
  await lane.stop();
  lane.wake();
  await settle();
  t.equal(rows.length, left);
});
