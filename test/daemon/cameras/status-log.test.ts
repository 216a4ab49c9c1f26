import t from 'tap';
import { createStatusLog } from '#mobilenetd/daemon/cameras/status-log.js';

t.test('a camera that comes and goes gets a line a minute; failures tell themselves', (t) => {
  let time = 0;
  const lines: string[] = [];
  const quiet: string[] = [];
  const level = (into: string[]) => (_fields: unknown, text: string) => void into.push(text);
  const say = createStatusLog(
    { info: level(lines), debug: level(quiet) } as Parameters<typeof createStatusLog>[0],
    { now: () => time },
  );
  for (let second = 0; second < 120; second += 10) {
    time = second * 1000;
    say('online', null);
    say('offline', 'broken');
  }
  say('disabled', 'outside its schedule');
  say('offline', 'stopped');
  t.same(lines, [
    'camera online',
    'camera online (5× since the last line)',
    'camera disabled: outside its schedule',
    'camera offline: stopped',
  ]);
  t.equal(quiet.length, 12, 'failures');
  t.end();
});
