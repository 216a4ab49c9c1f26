import { PassThrough } from 'node:stream';
import t from 'tap';
import { DemoLines } from '#mobilenetd/cli/demo-lines.js';

function setup(terminal: boolean) {
  const stdout = new PassThrough();
  const stderr = Object.assign(new PassThrough(), { isTTY: terminal });
  let now = new Date(2026, 4, 1, 18, 0, 0).getTime();
  const lines = new DemoLines(stdout, stderr, () => now);
  const text = (stream: PassThrough) => String(stream.read() ?? '');
  return {
    lines,
    out: () => text(stdout),
    err: () => text(stderr),
    step: (ms: number) => (now += ms),
  };
}

t.test(
  'one layout for what is seen, decided and logged, whose times never run backwards',
  async (t) => {
    const { lines, out, err, step } = setup(false);
    lines.say('+', 'cup');
    step(5000);
    lines.log('{"level":"warn","time":"2026-05-01T00:00:00Z","msg":"stalled"}\n');
    step(-60_000);
    lines.say('-', 'cup');
    lines.log('{"msg":"a defect","err":{"stack":"Error: x"}}');
    t.equal(out(), '18:00:00  + cup\n18:00:05  - cup\n');
    t.equal(err(), '18:00:05  ! stalled\n18:00:05  ! a defect\nError: x\n');
  },
);

t.test('progress is one line on a terminal, and leaves it before the next', async (t) => {
  const terminal = setup(true);
  terminal.lines.progress('fetching');
  terminal.lines.progress('converting');
  terminal.lines.plain('ready');
  terminal.lines.plain('on');
  t.equal(terminal.err(), '\r\u001b[Kfetching\r\u001b[Kconverting\r\u001b[K');
  terminal.lines.progress('fetching');
  terminal.lines.clear();
  terminal.lines.clear();
  t.equal(terminal.err(), '\r\u001b[Kfetching\r\u001b[K', 'nor before an error');
  const pipe = setup(false);
  pipe.lines.progress('fetching');
  pipe.lines.plain('ready');
  t.equal(pipe.err(), 'fetching\n');
});
