import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { eventually } from '../eventually.js';
import { broker, home } from '../integration/daemon-home.js';
import { runDaemon } from '../integration/daemon-process.js';

t.setTimeout(600_000);

const USUAL = { enter: 0.3, stay: 0.2 };
/** No event, and so no new picture. */
const NOTHING_IS_PRESENT = { enter: 0.999, stay: 0.998, off_delay: 0 };

/** What of a camera decides what may be seen, each another than before. */
const CHANGES: readonly (readonly [what: string, keys: object])[] = [
  [
    'a mask',
    {
      mask: [
        [
          [0, 0],
          [320, 0],
          [320, 480],
          [0, 480],
        ],
      ],
    },
  ],
  ['a rotation', { rotation: 180 }],
  ['a crop', { crop: [0, 0, 320, 240] }],
];

t.test('a picture is taken back when what may be seen changes', async (t) => {
  const { folder, pictures } = await home(t);
  const { url, listener } = await broker(t);
  const file = join(folder, 'config.yaml');
  const write = (presence: object, keys: object) => {
    const front = { source: 'files', path: pictures, fps: 10, loop: true, ...keys };
    const model = { task: 'classify', name: 'random_v1' };
    const sections = { node: 'board', model, presence, mqtt: { url }, cameras: { front } };
    writeFileSync(file, JSON.stringify(sections));
  };
  const picture = () => listener.values.get('mobilenetd/board/front/snapshot') ?? '';
  write(USUAL, {});
  let daemon = runDaemon(folder, file);
  t.teardown(() => daemon.child.kill('SIGKILL'));

  for (const [what, keys] of CHANGES) {
    t.ok(await eventually(() => picture() !== ''), `${what}: there is a picture of before`);
    write(NOTHING_IS_PRESENT, keys);
    daemon.child.kill('SIGHUP');
    t.ok(await eventually(() => picture() === ''), `${what}: it is gone. ${daemon.log()}`);
    t.match(daemon.log(), /front shows another view: its last picture is taken back/);

    write(USUAL, keys);
    daemon.child.kill('SIGHUP');
    t.ok(await eventually(() => picture() !== ''), `${what}: a new one, of what may be seen`);
    t.equal((await daemon.end('SIGTERM')).code, 0, daemon.log());
    write(NOTHING_IS_PRESENT, keys);
    daemon = runDaemon(folder, file);
    t.ok(await listener.until('front/status', 'online'), daemon.log());
    t.not(picture(), '', 'a start with the same view leaves it');
    t.equal((await daemon.end('SIGTERM')).code, 0, daemon.log());

    write(NOTHING_IS_PRESENT, {});
    daemon = runDaemon(folder, file);
    t.ok(await eventually(() => picture() === ''), `${what} taken away between two runs`);
    write(USUAL, {});
    daemon.child.kill('SIGHUP');
  }
  t.ok(await eventually(() => picture() !== ''));
  t.equal((await daemon.end('SIGTERM')).code, 0, daemon.log());
});
