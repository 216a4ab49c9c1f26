import t from 'tap';
import { isJsonTemplate, render, renderJson } from '#mobilenetd/notify/template.js';
import { messageOf } from './server.js';

const noticeOf = (event: Parameters<typeof messageOf>[1]) => messageOf({}, event).notice;

t.test(
  'a template that is JSON stays JSON, whatever the fields hold and wherever they stand',
  (t) => {
    const labels = [
      'person',
      'a "b"',
      '","admin":true,"x":"',
      'c\\',
      '\n\u0001',
      '{{id}}',
      '🚪',
      '',
      '1e5',
    ];
    for (const label of labels) {
      const notice = noticeOf({ label });
      const inside = JSON.parse(renderJson('{"a": "x {{label}} y", "b": {{label}}}', notice));
      t.equal(inside.a, `x ${label} y`, JSON.stringify(label));
      t.same(Object.keys(inside), ['a', 'b'], 'no field of its own making');
      const value = label === '' ? null : label === '1e5' ? 1e5 : label;
      t.equal(inside.b, value, 'as a value of its own');
    }
    const nothing = noticeOf({ subLabel: null, zones: [] });
    const text =
      '[{{score}}, {{sub_label}}, {{zones}}, "{{sub_label}}", "\\"{{ label }}\\\\", {{count}}]';
    t.same(JSON.parse(renderJson(text, nothing)), [0.8765, null, null, '', '"person\\', 1]);
    t.end();
  },
);

t.test('which templates are JSON', (t) => {
  for (const [text, is] of [
    ['{"a": "{{label}}"}', true],
    [' [{{score}}, "{{label}}"]', true],
    ['{{label}} at {{camera}}', false],
    ['{{label}}', false],
    ['[alarm] {{label}}', false],
    ['{broken: {{label}}', false],
    ['Look: {"a": 1}', false],
    ['{"a": {{no_such_field}}}', true],
  ] as const) {
    t.equal(isJsonTemplate(text), is, text);
  }
  t.equal(
    render('{{label}} {{nothing}} {{ zones }}', noticeOf({ zones: ['a', 'b'] })),
    'person {{nothing}} a, b',
  );
  t.end();
});

t.test("a time is the board's, whatever languages its Node knows", (t) => {
  const before = process.env.TZ;
  t.teardown(() => {
    if (before === undefined) delete process.env.TZ;
    else process.env.TZ = before;
  });
  for (const [zone, at, shown] of [
    ['Europe/Vienna', '2026-06-01T12:05:09Z', '2026-06-01 14:05:09'],
    ['Europe/Vienna', '2026-12-31T23:30:00.999Z', '2027-01-01 00:30:00'],
    ['America/St_Johns', '2026-01-01T02:00:00Z', '2025-12-31 22:30:00'],
    ['UTC', '2026-06-01T00:00:00Z', '2026-06-01 00:00:00'],
  ] as const) {
    process.env.TZ = zone;
    t.equal(render('{{time}}', { ...noticeOf({}), time: Date.parse(at) }), shown, zone);
  }
  t.end();
});
