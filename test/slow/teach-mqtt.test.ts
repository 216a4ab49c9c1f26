// A process of its own: it starts daemons, commands and a broker
import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import type { RecordingPayload, TaughtPayload } from '#mobilenetd/control/report.js';
import { eventually } from '../eventually.js';
import { command, report } from '../integration/daemon-home.js';
import {
  runDaemon,
  type Subscriber,
  subscriber,
  writeConfig,
} from '../integration/daemon-process.js';
import { installNetworks } from '../integration/random-model.js';
import { mosquitto } from '../mqtt/brokers.js';
import { drawMugs } from './drawn-mugs.js';

const THINGS = { task: 'classify', name: 'mobilenetd_things' };
t.setTimeout(900_000);
const SKIP = mosquitto.available ? false : 'there is no mosquitto';

interface Answer {
  readonly transaction: string;
  readonly ok: boolean;
  readonly code?: string;
  readonly teach?: TaughtPayload &
    RecordingPayload & {
      readonly removed: number;
      readonly labels: readonly (string | null)[];
    };
}

/** Asks as any client of the broker does, and waits for the answer of its transaction. */
function asker({ client, say }: Subscriber) {
  const answers = new Map<string, Answer>();
  client.on('message', (topic, payload) => {
    if (!topic.includes('/response/')) return;
    const answer = JSON.parse(payload.toString()) as Answer;
    answers.set(answer.transaction, answer);
  });
  let count = 0;
  return async (asked: object): Promise<Answer> => {
    count += 1;
    // A board refuses whoever asks faster than people do.
    await delay(700);
    const transaction = `t${count}`;
    await say('request/teach', JSON.stringify({ transaction, ...asked }));
    await eventually(() => answers.has(transaction));
    return answers.get(transaction) as Answer;
  };
}

async function healthOf({ say, client }: Subscriber): Promise<unknown> {
  const answers: unknown[] = [];
  client.on('message', (topic, payload) => {
    if (topic.endsWith('/response/health')) answers.push(JSON.parse(payload.toString()).health);
  });
  await say('request/health', JSON.stringify({ transaction: 'h' }));
  await eventually(() => answers.length > 0);
  return answers[0];
}

/** A daemon with the ladder of the package at a real Mosquitto, whose camera sees mugs with a spoon. */
async function start(t: Test) {
  const folder = mkdtempSync(join(tmpdir(), 'mnd-'));
  t.teardown(() =>
    rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 200 }),
  );
  const server = await mosquitto.make();
  await server.start();
  t.teardown(() => server.stop());
  const listener = await subscriber(server.url);
  t.teardown(() => listener.end());
  const seen = await drawMugs(folder, 'seen', { from: 1, count: 16, hasSpoon: true });
  const config = writeConfig(folder, {
    ...{ cameras: ['seen'], pictures: seen, url: server.url, model: THINGS },
    more: { store: { pictures: { enabled: false } } },
  });
  await installNetworks(folder, ['mobilenetd_things']);
  const daemon = runDaemon(folder, config);
  t.teardown(() => daemon.end('SIGKILL'));
  t.ok(await listener.until('state', 'online'), daemon.log());
  return { folder, config, daemon, listener, ask: asker(listener) };
}

t.test('a label is taught, told, reported and taken back over MQTT', { skip: SKIP }, async (t) => {
  const { folder, config, daemon, listener, ask } = await start(t);
  t.match(await ask({ do: 'list' }), { ok: true, teach: { tasks: [], error: null } });

  // Recorded until there is enough, then ended: not by a clock that a busy machine outruns.
  const record = async (asked: object, enough: number) => {
    const begun = await ask({ do: 'record', seconds: 600, ...asked });
    t.match(begun, { ok: true, teach: { state: 'recording' } }, JSON.stringify(begun));
    const id = begun.teach?.id;
    let figures: RecordingPayload['figures'] = null;
    const came = await eventually(async () => {
      const live = (await ask({ do: 'list' })).teach?.recordings.find((each) => each.id === id);
      figures = live?.figures ?? figures;
      return (live?.kept ?? 0) >= enough;
    });
    t.ok(came, daemon.log());
    const ended = await ask({ do: 'end', id });
    t.match(ended, { ok: true, teach: { state: 'done', error: null, code: null } });
    return { kept: ended.teach?.kept ?? 0, figures };
  };
  const shown = await record({ label: 'spoon', camera: 'seen' }, 8);
  t.match(shown.figures, { labels: [{ label: 'spoon' }] }, 'figures while it records');
  const task = { camera: 'seen' };
  t.match(await ask({ do: 'report', label: 'spoon' }), {
    ok: true,
    teach: { tasks: [{ ...task, labels: { spoon: shown.kept }, others: 0 }] },
  });
  t.ok(await listener.until('seen/spoon', 'ON'), 'taught of one camera');

  const taken = await ask({ do: 'undo' });
  t.match(taken, { teach: { removed: shown.kept, labels: ['spoon'] } });
  t.match(await ask({ do: 'list' }), { teach: { tasks: [] } });
  t.ok(await eventually(() => listener.values.get('mobilenetd/board/seen/spoon') !== 'ON'));

  // What is recorded as the opposite counts as that, whatever it shows.
  const again = await record({ label: 'spoon', camera: 'seen' }, 8);
  const opposite = await record({ label: 'spoon', camera: 'seen', not: true }, 1);
  const works = async () => (await ask({ do: 'list' })).teach?.tasks[0]?.state === 'works';
  // Heads of sixteen networks: on a busy machine that takes longer than anything else that is waited for.
  t.ok((await eventually(works)) || (await eventually(works)) || (await eventually(works)));
  const told = await ask({ do: 'report' });
  t.match(told.teach?.tasks, [
    {
      ...{ labels: { spoon: again.kept }, others: opposite.kept, ready: 16, networks: 16 },
      figures: { accuracy: Number, false_accepts: Number },
      confusion: { labels: ['spoon', null] },
      worst: [{ label: 'spoon', probability: Number }],
      advice: [{ code: String, text: String }],
    },
  ]);
  // The network that runs judges, whatever configuration the command has read.
  const other = join(folder, 'other.yaml');
  writeFileSync(other, '{}');
  const judged = await command(folder, other, 'teach', '--report');
  t.match(judged, { status: 0, stdout: /spoon: recall \d/ }, judged.stderr);
  t.match(await ask({ do: 'forget', label: 'spoon', not: true, camera: 'seen' }), {
    teach: { removed: opposite.kept, labels: [null] },
  });
  t.match(await ask({ do: 'forget', label: 'spoon' }), { teach: { removed: again.kept } });

  // What cannot be is refused with a reason, and changes nothing.
  const wrong: readonly (readonly [asked: object, error: RegExp])[] = [
    [{ do: 'record', label: 'spoon', camera: 'nowhere' }, /camera nowhere/],
    [{ do: 'record', label: 'not', camera: 'seen' }, /cannot be taught/],
    [{ do: 'record', label: 'spoon', camera: 'seen', zone: 'gate' }, /no zone gate/],
    [{ do: 'forget', label: 'fork' }, /fork/],
    [{ do: 'end', id: 'x' }, /recording/],
    [{ do: 'explain' }, /do/],
  ];
  for (const [asked, error] of wrong) {
    const answer = await ask(asked);
    t.equal(answer.ok, false, JSON.stringify(answer));
    t.match(JSON.stringify(answer), error);
  }
  t.match(await ask({ do: 'list' }), { teach: { tasks: [] } });
  // The daemon knows its cameras, whatever configuration the command has read.
  const refused = await command(folder, other, 'teach', 'fork', '--camera', 'nowhere');
  t.match(refused.stderr, /camera nowhere.*expected seen/, 'asked of the daemon');
  t.not(refused.status, 0);

  // Nothing of it can be read: what is known serves on, and status and health say so.
  const place = join(folder, 'teach');
  await record({ label: 'spoon', camera: 'seen' }, 8);
  t.ok(await listener.until('seen/spoon', 'ON'));
  renameSync(place, `${place}.away`);
  symlinkSync(place, place);
  t.match(await ask({ do: 'undo' }), { ok: false, code: 'MND_TEACH_DISK' });
  t.match((await report(folder)).running?.taught, { error: /ELOOP/ });
  const status = await command(folder, config, 'status');
  t.match(status.stdout.replaceAll(/\s+/g, ' '), /taught pictures CANNOT be read/);
  t.match(await healthOf(listener), { taught: { error: /ELOOP/ } });
  const doctor = await command(folder, config, 'doctor', '--no-cameras');
  t.match(doctor.stdout, /taught pictures/);
  t.equal(listener.values.get('mobilenetd/board/seen/spoon'), 'ON', 'what was known serves on');
  rmSync(place);
  renameSync(`${place}.away`, place);
  t.match(await ask({ do: 'undo' }), { ok: true });
  t.match((await report(folder)).running?.taught, { error: null, tasks: [] });
  t.equal((await daemon.end('SIGTERM')).code, 0);
});
