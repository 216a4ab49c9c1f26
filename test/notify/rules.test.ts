import t from 'tap';
import { type RuleConfig, ruleKeys } from '#mobilenetd/notify/rule-keys.js';
import { type Firing, RuleBook } from '#mobilenetd/notify/rules.js';
import { render, TEMPLATE_FIELDS, unknownFields } from '#mobilenetd/notify/template.js';
import { text } from '#mobilenetd/schema/format.js';
import { isLeaf, type Section } from '#mobilenetd/schema/section.js';
import { eventOf, messageOf } from './server.js';

/** A rule with the defaults of every key. */
function ruleOf(when: object = {}, more: object = {}): RuleConfig {
  const defaults = (section: Section): Record<string, unknown> =>
    Object.fromEntries(
      Object.entries(section).map(([name, node]) => {
        if (isLeaf(node)) return [name, node.default];
        return [name, 'item' in node ? {} : defaults(node as Section)];
      }),
    );
  const rule = defaults(ruleKeys(text()) as unknown as Section);
  return { ...rule, ...more, when: { ...(rule.when as object), ...when } } as RuleConfig;
}

const names = (firings: readonly Firing[]) =>
  firings.map(({ rule, event }) => `${rule} ${event.id}`);
const at = (seconds: number) => ({
  now: seconds * 1000,
  wall: Date.UTC(2026, 5, 1, 12) + seconds * 1000,
});

t.test('conditions: camera, label, score, zone, sub-label', async (t) => {
  const book = new RuleBook(
    {
      all: ruleOf(),
      cats: ruleOf({ label: ['cat', 'dog'], camera: 'back' }),
      sure: ruleOf({ score: 0.9 }),
      porch: ruleOf({ zone: 'porch' }),
      anna: ruleOf({ sub_label: ['anna'] }),
      off: ruleOf({}, { enabled: false }),
    },
    null,
  );
  t.same(names(book.judge([eventOf('a')], at(0))), ['all a']);
  t.same(names(book.judge([eventOf('b', { camera: 'back', label: 'cat', score: 0.95 })], at(1))), [
    'all b',
    'cats b',
    'sure b',
  ]);
  const better = { type: 'update', score: 0.92, zones: ['step', 'porch'], subLabel: 'anna' };
  t.same(
    names(book.judge([eventOf('a', better as object)], at(2))),
    ['sure a', 'porch a', 'anna a'],
    'what becomes true later fires later, and each once',
  );
  t.same(names(book.judge([eventOf('a', better as object)], at(3))), []);
});

t.test('a cool-down is of one label at one camera, and holds in a storm', async (t) => {
  const book = new RuleBook({ r: ruleOf({}, { cooldown: 30 }) }, null);
  let fired = 0;
  for (let each = 0; each < 1000; each += 1) {
    const events = ['front', 'back'].map((camera) => eventOf(`${camera}-${each}`, { camera }));
    fired += book.judge(events, at(each * 0.06)).length;
    book.judge(
      events.map((event) => ({ ...event, type: 'end', end: 1 })),
      at(each * 0.06),
    );
  }
  t.equal(fired, 4, 'a minute: two at each camera');
  t.equal(book.suppressed(), 1996);
  t.equal(book.judge([eventOf('cat', { label: 'cat' })], at(60)).length, 1, 'another label');
});

t.test('an object that stays is told of once, also after a cool-down', async (t) => {
  const book = new RuleBook({ r: ruleOf({}, { cooldown: 10 }) }, null);
  t.same(names(book.judge([eventOf('a')], at(0))), ['r a']);
  for (let second = 1; second < 100; second += 1) {
    t.same(book.judge([eventOf('a', { type: 'update' })], at(second)), []);
  }
});

t.test('a parked car that is found again after it was gone is no news', async (t) => {
  const book = new RuleBook({ r: ruleOf({}, { cooldown: 0 }) }, null);
  t.same(names(book.judge([eventOf('car')], at(0))), ['r car']);
  t.same(book.judge([eventOf('car', { type: 'end', end: 1 })], at(10)), []);
  t.same(book.judge([eventOf('car', { type: 'update' })], at(20)), []);
});

t.test(
  'what a restart and a reload find: earlier firings, and what is there already',
  async (t) => {
    const book = new RuleBook({ r: ruleOf({}, { cooldown: 60 }) }, null);
    book.recall('r', 'front/person', 50_000, at(0));
    book.pass([eventOf('old', { label: 'cat' })]);
    t.same(book.judge([eventOf('old', { label: 'cat', type: 'update' })], at(1)), []);
    t.same(book.judge([eventOf('a')], at(5)), []);
    t.same(names(book.judge([eventOf('b')], at(11))), ['r b']);
  },
);

t.test('dwell: only who stays, from when the rest was met', async (t) => {
  const book = new RuleBook({ r: ruleOf({ dwell: 10, zone: 'porch' }) }, null);
  const inside = { zones: ['porch'] };
  book.judge([eventOf('a'), eventOf('b', inside as object)], at(0));
  t.ok(book.waits());
  book.judge([eventOf('a', inside as object)], at(6));
  t.same(names(book.tick(at(9))), []);
  book.judge([eventOf('c', { camera: 'back', ...(inside as object) })], at(9));
  t.same(names(book.tick(at(10))), ['r b']);
  book.judge([eventOf('c', { camera: 'back', end: 1, type: 'end' })], at(12));
  t.same(names(book.tick(at(17))), [], 'a is in the cool-down of b');
  t.same(names(book.tick(at(80))), [], 'and is not told of later; c has gone');
  book.judge([eventOf('a', { end: 1, type: 'end' }), eventOf('b', { end: 1 })], at(81));
  t.notOk(book.waits());
});

t.test('schedules, by the clock and by the sun', async (t) => {
  const night = ruleOf({ schedule: ['sunset - sunrise'], time_zone: 'Europe/Berlin' });
  const noon = ruleOf({ schedule: ['11:00-13:00'], time_zone: 'UTC' });
  const book = new RuleBook({ night, noon }, [52.5, 13.4]);
  t.same(names(book.judge([eventOf('a')], at(0))), ['noon a']);
  t.same(names(book.tick(at(10 * 3600))), ['night a'], 'it is still there when night comes');
});

t.test('memory is bounded', async (t) => {
  const book = new RuleBook({ r: ruleOf({ dwell: 1 }) }, null);
  for (let each = 0; each < 5000; each += 1) book.judge([eventOf(`e${each}`)], at(0));
  t.ok(book.tick(at(2)).length <= 1000);
});

t.test('templates', async (t) => {
  const { notice } = messageOf({}, { label: 'cat' });
  t.equal(render('{{ label }} {{percent}} % {{zones}}|{{nobody}}', notice), 'cat 88 % |{{nobody}}');
  t.same(unknownFields('{{label}} {{lable}} {{ x y }}'), ['lable', 'x y']);
  const named = messageOf({}, { label: 'bird', subLabel: 'robin', subScore: 0.7512 });
  t.equal(render('{{label}}: {{sub_label}} {{sub_score}}', named.notice), 'bird: robin 0.7512');
  t.equal(
    render('{{label}}{{sub_label}}{{sub_score}}', notice),
    'cat',
    'nothing where nobody was asked',
  );
  for (const field of TEMPLATE_FIELDS) t.notMatch(render(`{{${field}}}`, notice), /[{}]|undefined/);
});
