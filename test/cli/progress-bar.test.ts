import { Writable } from 'node:stream';
import t from 'tap';
import { createProgressLine } from '#mobilenetd/cli/progress-bar.js';

function terminal(columns: number) {
  const written: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      written.push(String(chunk));
      done();
    },
  });
  return { written, stream: Object.assign(stream, { isTTY: true, columns }) };
}

t.test('a line of progress says how far, of what, and goes away', async (t) => {
  const { written, stream } = terminal(80);
  let clock = 0;
  const line = createProgressLine(stream, 4, () => clock);
  line.begin('pi4-case  sun  step-wise');
  clock += 50;
  line.at(0.3);
  t.equal(written.length, 1, 'at most ten times a second');
  clock += 100;
  line.at(0.5);
  clock += 100;
  line.begin('pi4-case  sun  none');
  line.clear();
  t.match(written[1], '[###                     ]  1 of 4  pi4-case  sun  step-wise');
  t.match(written[2], '[######                  ]  2 of 4  pi4-case  sun  none');
  t.equal(written.at(-1), '\r\u001b[K');
});

t.test('it never wraps, and is not there without a terminal', async (t) => {
  const { written, stream } = terminal(40);
  const line = createProgressLine(stream, 1, () => 0);
  line.begin('a-board-with-a-very-long-name  scenario  governor');
  t.ok((written[0] ?? '').replace('\r\u001b[K', '').length < 40);
  const pipe = new Writable({ write: (_chunk, _encoding, done) => done(new Error('written')) });
  const silent = createProgressLine(pipe, 1);
  silent.begin('x');
  silent.at(1);
  silent.clear();
});
