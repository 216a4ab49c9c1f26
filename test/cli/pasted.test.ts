// A process of its own: it sets the environment.
import t from 'tap';
import { problemsOf } from '#mobilenetd/cli/pasted.js';
import { checkPasted } from '#mobilenetd/cli/pasted-check.js';

t.test('what is wrong is told with its line', (t) => {
  t.match(problemsOf('node: porch\nlog: { level: loud }\n'), [
    /^line 2: log\.level expected trace/,
  ]);
  t.same(problemsOf('cameras:\n  front: { source: demo }\n'), []);
  t.end();
});

t.test('nothing of this machine is told', (t) => {
  process.env.MOBILENETD_TEST_WORD = 'hunter2';
  process.env.TEST_WORD = 'hunter2';
  t.teardown(() => {
    delete process.env.MOBILENETD_TEST_WORD;
    delete process.env.TEST_WORD;
  });
  for (const yaml of [
    'log: { level: "${TEST_WORD}" }',
    'status: { listen: "${MOBILENETD_TEST_WORD}" }',
    'node: "${TEST_WORD} and more"',
    'log: { level: !secret word }',
    'mqtt: { url: "mqtt://x", username: a, password_file: /etc/shadow }',
    'status: { tls: { cert_file: /etc/passwd, key_file: /etc/shadow } }',
  ]) {
    t.notMatch(problemsOf(yaml).join('\n'), /hunter2|root:|no such file|permission/, yaml);
  }
  t.end();
});

t.test('lines that refer to variables and secrets are no problem', (t) => {
  t.same(
    problemsOf(
      [
        'mqtt: { url: "mqtt://broker", username: "${USER_NAME}", password: !secret mqtt }',
        'cameras:',
        '  front: { source: rtsp, url: "rtsp://cam/1", username: a, password: "${CAM:-x}" }',
      ].join('\n'),
    ),
    [],
  );
  t.match(problemsOf('node: "${BRO KEN}"'), [/not understood/]);
  t.end();
});

t.test('many problems are cut', (t) => {
  const yaml = Array.from({ length: 150 }, (_each, index) => `q${index}: 1\n`).join('');
  const problems = problemsOf(yaml);
  t.equal(problems.length, 101);
  t.equal(problems.at(-1), 'and 50 more problems');
  t.end();
});

t.test('in a thread of its own, which is ended when it takes too long', async (t) => {
  t.match(await checkPasted('log: { level: loud }'), [/line 1: log\.level/]);
  t.match(await checkPasted('q: 1\n'.repeat(10_000), 1), [/was not checked to its end/]);
});

t.test('bombs are refused, not expanded', async (t) => {
  const lines = (count: number, line: (index: number) => string) =>
    Array.from({ length: count }, (_each, index) => line(index)).join('\n');
  const ten = (text: string) => new Array(10).fill(text).join(',');
  const bombs = {
    aliases: lines(12, (i) => `x-a${i}: &a${i} [${ten(i === 0 ? 'x' : `*a${i - 1}`)}]`),
    merges: lines(25, (i) => `x-m${i}: &m${i} { <<: [*m${i - 1}, *m${i - 1}], j: 1 }`).replace(
      '<<: [*m-1, *m-1], ',
      '',
    ),
    depth: `${'['.repeat(20_000)}${']'.repeat(20_000)}`,
    tags: '! '.repeat(20_000),
    references: `node: "${'${'.repeat(20_000)}"`,
  };
  for (const [name, yaml] of Object.entries(bombs)) {
    const problems = await checkPasted(yaml);
    t.ok(problems.length > 0 && problems.length <= 101, name);
    t.notMatch(problems.join('\n'), /was not checked to its end/, name);
  }
});
