import t from 'tap';
import { parse } from 'yaml';
import type { FoundCamera, Step } from '#mobilenetd/cli/setup/step.js';
import { addressMeant, BROKER_STEP } from '#mobilenetd/cli/setup/steps/broker.js';
import { CAMERA_STEP } from '#mobilenetd/cli/setup/steps/camera.js';
import { cameraMeant } from '#mobilenetd/cli/setup/steps/camera-answer.js';
import { HEAT_STEP, limitMeant } from '#mobilenetd/cli/setup/steps/heat.js';
import { LABELS_STEP, labelsMeant } from '#mobilenetd/cli/setup/steps/labels.js';
import { NAME_STEP, topicNameOf } from '#mobilenetd/cli/setup/steps/name.js';
import { NOTIFY_STEP } from '#mobilenetd/cli/setup/steps/notify.js';
import { PAGE_STEP } from '#mobilenetd/cli/setup/steps/page.js';
import { NEEDS_STEP, SYSTEM_STEP } from '#mobilenetd/cli/setup/steps/system.js';
import { STEPS } from '#mobilenetd/cli/setup/steps.js';
import { type Dialogue, dialogue, FOLDER, fakeMachine } from './fake-machine.js';

const USB: FoundCamera = {
  name: '/dev/video0',
  what: 'Webcam C920',
  settings: { source: 'v4l2', device: '/dev/video0' },
};
const FRONT = 'cameras: { front: { source: demo, labels: [person] } }\n';

/** Runs a step and returns the file that comes of it. */
async function fileAfter(step: Step, { input, draft }: Dialogue) {
  await step.run(input);
  return parse(draft.text()) ?? {};
}

t.test('each option belongs to one step', async (t) => {
  const names = STEPS.flatMap(({ options }) => options.map(({ name }) => name));
  t.equal(new Set(names).size, names.length);
  for (const name of names) t.match(name, /^[a-z]+(-[a-z]+)*$/);
});

t.test('system: what it lacks is said with what to do, and the rest is not', async (t) => {
  const finding = (level: 'ok' | 'info' | 'warn' | 'fail', subject: string, check: string) => ({
    ...{
      check,
      level,
      subject,
      found: `${subject} is ${level}`,
      means: null,
      next: `get ${subject}`,
    },
  });
  const around = fakeMachine({
    examineSystem: async () => [
      finding('ok', 'node', 'system'),
      finding('info', 'board', 'system'),
      finding('warn', 'clock', 'clock'),
      finding('fail', 'ffmpeg', 'programs'),
    ],
  });
  const first = dialogue({ around });
  const told = await SYSTEM_STEP.run(first.input);
  t.match(told, { lacks: [{ subject: 'clock' }, { subject: 'ffmpeg', level: 'fail' }] });
  t.same(first.said, [
    '  clock: clock is warn',
    '    → get clock.',
    '  ffmpeg: ffmpeg is fail',
    '    → get ffmpeg.',
  ]);
  const last = dialogue({ around });
  t.match(await NEEDS_STEP.run(last.input), { lacks: [{ subject: 'ffmpeg' }] });
  t.match((await SYSTEM_STEP.run(dialogue({}).input)).lacks, []);
});

t.test('name: what topics take, and a proposal for what they do not', async (t) => {
  t.same(topicNameOf('porch'), { value: 'porch' });
  t.match(topicNameOf('Vordere Tür'), { fault: /e\.g\. Vordere_Tu_?r/ });
  for (const bad of ['a/b', '+', '#', '-a', 'x'.repeat(65), '../..'])
    t.match(topicNameOf(bad), { fault: /found/ });
  const typed = dialogue({ typed: ['front door', ''] });
  t.same(await fileAfter(NAME_STEP, typed), { node: 'porch' });
  t.match(typed.said.join('\n'), /e\.g\. front_door/);
});

t.test('camera: the one that is found, after a picture of it', async (t) => {
  const around = fakeMachine({ findCameras: async () => [USB] });
  const talk = dialogue({ around, typed: ['1', ''] });
  t.same(await fileAfter(CAMERA_STEP, talk), { cameras: { front: USB.settings } });
  t.match(talk.said.join('\n'), /Webcam C920: a frame\n.*picture: \/p\.jpg/);
});

t.test('camera: one that delivers nothing is asked about, and another is taken', async (t) => {
  const around = fakeMachine({
    findCameras: async () => [USB],
    lookThrough: async ({ source }) =>
      source === 'v4l2'
        ? { delivers: false, found: 'it is silent', next: 'plug it in', picture: null }
        : { delivers: true, found: 'a frame', next: null, picture: null },
  });
  const talk = dialogue({ around, typed: ['1', 'no', 'libcamera', 'yard'] });
  t.same(await fileAfter(CAMERA_STEP, talk), { cameras: { yard: { source: 'libcamera' } } });
  t.match(talk.said.join('\n'), /it is silent[\s\S]*plug it in/);
  const script = dialogue({ around, answers: { camera: '/dev/video0' } });
  await t.rejects(CAMERA_STEP.run(script.input), { code: 'MND_CAMERA_FAILED' });
  const forced = dialogue({ around, answers: { camera: '/dev/video0', 'camera-anyway': 'yes' } });
  t.same(await fileAfter(CAMERA_STEP, forced), { cameras: { front: USB.settings } });
});

t.test('camera: a password in an address gets a file of its own', async (t) => {
  const talk = dialogue({
    answers: { camera: 'rtsp://anna:p%40ss@192.0.2.7:554/Stream?a=1', 'camera-name': 'drive' },
  });
  const { cameras } = await fileAfter(CAMERA_STEP, talk);
  t.same(cameras.drive, {
    source: 'rtsp',
    url: 'rtsp://192.0.2.7:554/Stream?a=1',
    username: 'anna',
    password_file: `${FOLDER}/drive.password`,
  });
  t.equal(talk.draft.secrets.get(`${FOLDER}/drive.password`), 'p@ss\n');
  t.equal(talk.input.load().config.cameras.drive?.password, 'p@ss');
});

t.test(
  'camera: another kind under the same name drops what it has not, and keeps the rest',
  async (t) => {
    const text = `cameras:
  front: # by the door
    source: rtsp
    url: rtsp://192.0.2.7/a
    username: anna
    transport: udp
    labels: [person]
    fps: 3
`;
    const around = fakeMachine({ findCameras: async () => [USB] });
    const talk = dialogue({ text, around, typed: ['2', ''] });
    const { cameras } = await fileAfter(CAMERA_STEP, talk);
    t.same(cameras.front, { source: 'v4l2', labels: ['person'], fps: 3, device: '/dev/video0' });
    t.match(talk.draft.text(), '# by the door');
    t.doesNotThrow(talk.input.load);
  },
);

t.test('camera: hostile and mistaken answers', async (t) => {
  for (const bad of [
    'usb',
    'rtsp://',
    'ftp://192.0.2.1/x',
    'file:///etc/passwd',
    '../video0',
    'keep',
    'rtsp://:secret@/x',
  ]) {
    const meaning = cameraMeant(bad, [USB], []);
    t.match(meaning, { fault: /expected/ }, bad);
    t.notMatch(JSON.stringify(meaning), 'secret');
  }
  t.match(cameraMeant('libcam', [], []), { fault: /did you mean libcamera/ });
});

t.test('nobody to ask: what must be answered is named, as its option', async (t) => {
  await t.rejects(CAMERA_STEP.run(dialogue({}).input), { code: 'MND_USAGE', message: /--camera/ });
  const wrong = dialogue({ answers: { camera: 'usb' } });
  await t.rejects(CAMERA_STEP.run(wrong.input), { code: 'MND_USAGE', message: /--camera.*"usb"/ });
});

t.test('labels: of the model, with the nearest for others', async (t) => {
  const known = new Set(['person', 'cat', 'traffic light']);
  t.same(labelsMeant(' person ,cat,, person', known), { value: ['person', 'cat'] });
  t.same(labelsMeant('[traffic light]', known), { value: ['traffic light'] });
  t.same(labelsMeant('ALL', known), { value: 'all' });
  t.match(labelsMeant('persn, zebra', known), {
    fault: /"persn" \(did you mean person\?\), "zebra"$/,
  });
  t.match(labelsMeant(',', known), { fault: /expected/ });
  t.same(labelsMeant('anything', null), { value: ['anything'] });
  const talk = dialogue({ text: FRONT, typed: ['persn', 'cat, dog'] });
  t.same((await fileAfter(LABELS_STEP, talk)).cameras.front.labels, ['cat', 'dog']);
});

t.test('labels: of two cameras only those that watch for the same', async (t) => {
  const text =
    'cameras: { a: { source: demo, labels: [person] }, b: { source: demo, labels: [cat] }, c: { source: demo, labels: [person] } }\n';
  const talk = dialogue({ text, typed: ['dog'] });
  const { cameras } = await fileAfter(LABELS_STEP, talk);
  t.same([cameras.a.labels, cameras.b.labels, cameras.c.labels], [['dog'], ['cat'], ['dog']]);
  t.match(talk.said.join('\n'), 'at a, c');
});

t.test('broker: what is announced, its login in a file, a message through it', async (t) => {
  const url = 'mqtt://192.0.2.1:1883';
  const tried: (string | null)[] = [];
  const around = fakeMachine({
    findBroker: async () => ({ url, by: 'announced as “hass”', wantsLogin: true }),
    async checkBroker({ mqtt }) {
      tried.push(mqtt.password);
      const level = mqtt.password === 'right' ? 'ok' : 'fail';
      return [{ check: 'broker', subject: url, level, found: level, means: null, next: 'look' }];
    },
  });
  const talk = dialogue({
    around,
    typed: ['1', 'porch', 'wrong', 'no', '1', 'porch', 'right', ''],
  });
  t.same((await fileAfter(BROKER_STEP, talk)).mqtt, {
    url,
    username: 'porch',
    password_file: `${FOLDER}/mqtt.password`,
  });
  t.same(tried, ['wrong', 'right']);
  t.equal(talk.draft.secrets.get(`${FOLDER}/mqtt.password`), 'right\n');
  t.match(talk.said.join('\n'), /asks for a login[\s\S]*mobilenetd\/porch\/setup came back/);
});

t.test('broker: one that stays is left as it is written', async (t) => {
  for (const url of ['mqtt://anna:secret@192.0.2.1', '[mqtt://192.0.2.1, mqtt://192.0.2.2]']) {
    const text = `mqtt: { url: ${url} } # mine\n`;
    const talk = dialogue({ text });
    await BROKER_STEP.run(talk.input);
    t.equal(talk.draft.text(), text, url);
    t.notMatch(talk.said.join('\n'), 'secret');
  }
});

t.test('broker: none is one of its own, in so many words', async (t) => {
  const talk = dialogue({ answers: { broker: 'embedded' } });
  t.same((await fileAfter(BROKER_STEP, talk)).mqtt, { url: null });
  t.match(talk.draft.text(), /# The broker; null is/);
});

t.test('broker: hostile and mistaken answers', async (t) => {
  t.same(addressMeant('192.0.2.1'), { value: 'mqtt://192.0.2.1' });
  t.same(addressMeant('homeassistant.local:1884'), { value: 'mqtt://homeassistant.local:1884' });
  t.same(addressMeant('mqtts://[2001:db8::1]:8883'), { value: 'mqtts://[2001:db8::1]:8883' });
  for (const bad of [
    'http://192.0.2.1',
    'mqtt://',
    'a b',
    'embeded',
    'mqtt://a:secret@192.0.2.1',
    'x:secret@y:z',
  ]) {
    const meaning = addressMeant(bad);
    t.match(meaning, { fault: /expected/ }, bad);
    t.notMatch(JSON.stringify(meaning), 'secret', bad);
  }
  t.match(addressMeant('embeded'), { fault: /did you mean embedded/ });
});

t.test('heat: a case gives a limit, which is never above the board’s own', async (t) => {
  t.same(limitMeant('bare', 80, 1.5), { value: 'auto' });
  t.same(limitMeant('sealed', 80, 1.5), { value: 70 });
  t.same(limitMeant('sealed', 60, 1.5), { value: 'auto' });
  t.same(limitMeant('72.5 °C', 80, 1.5), { value: 72.5 });
  for (const bad of ['', '20', '120', 'NaN', 'Infinity', '1e9', 'boxed'])
    t.match(limitMeant(bad, 80, 1.5), { fault: /expected/ }, bad);
  t.match(limitMeant('seald', 80, 1.5), { fault: /did you mean sealed/ });
  const talk = dialogue({ typed: ['5'] });
  t.same(await fileAfter(HEAT_STEP, talk), { governor: { limit: 70 } });
});

t.test(
  'notifications: the secret of each way is in a file that only its owner reads',
  async (t) => {
    const ways = [
      {
        typed: ['2', 'a topic', 'porch-4711', '', ''],
        file: 'ntfy.topic',
        to: { ntfy: { topic_file: `${FOLDER}/ntfy.topic` } },
      },
      {
        typed: ['3', 'example', 'https://example.org/hook', ''],
        file: 'webhook.url',
        to: { webhook: { url_file: `${FOLDER}/webhook.url` } },
      },
      {
        typed: ['4', 'x', '12:abc', '12x', '-100', ''],
        file: 'telegram.token',
        to: { telegram: { token_file: `${FOLDER}/telegram.token`, chat_id: -100 } },
      },
    ];
    for (const { typed, file, to } of ways) {
      const talk = dialogue({ text: FRONT, typed });
      const { notify } = await fileAfter(NOTIFY_STEP, talk);
      t.same(notify.setup, { when: { label: ['person'] }, to }, file);
      t.same([...talk.draft.secrets.keys()], [`${FOLDER}/${file}`]);
      t.doesNotThrow(talk.input.load);
      t.match(talk.said.join('\n'), /: taken/);
    }
    const failing = fakeMachine({ tryRule: async () => [{ to: 'webhook', error: 'refused' }] });
    const talk = dialogue({ text: FRONT, around: failing, typed: ['webhook', 'http://x.y/z', ''] });
    await NOTIFY_STEP.run(talk.input);
    t.match(talk.said.join('\n'), 'FAILED: refused');
  },
);

t.test('notifications: rules of one’s own stay', async (t) => {
  const text = `${FRONT}notify:\n  mine: { to: { command: { run: [/bin/true] } } } # mine\n`;
  const kept = dialogue({ text });
  await NOTIFY_STEP.run(kept.input);
  t.equal(kept.draft.text(), text);
  const none = dialogue({ text, answers: { notify: 'none' } });
  await NOTIFY_STEP.run(none.input);
  t.equal(none.draft.text(), text, 'only the rule that setup wrote would go');
});

t.test('page: beyond this board only with a password, which is kept as a hash', async (t) => {
  const talk = dialogue({ typed: ['network', '', 'short', 'long enough'] });
  const { status } = await fileAfter(PAGE_STEP, talk);
  t.equal(status.listen, '0.0.0.0:8080');
  t.match(status.users.admin, { password: /^scrypt\$/, role: 'admin' });
  t.notMatch(talk.draft.text(), 'long enough');
  t.doesNotThrow(talk.input.load);
  const again = dialogue({ text: talk.draft.text() });
  await PAGE_STEP.run(again.input);
  t.same(again.draft.changed, [], 'run again it stays');
  const off = dialogue({ answers: { page: 'off' } });
  t.same(await fileAfter(PAGE_STEP, off), { status: { listen: null } });
});

t.test(
  'what cannot be seen, what is endless, what is nothing: asked again, or refused',
  async (t) => {
    const talk = dialogue({
      typed: ['\u001b[31mx', 'a\u0000b', 'x'.repeat(10_000), '   ', 'yard'],
    });
    t.same(await fileAfter(NAME_STEP, talk), { node: 'porch' }, 'an empty line is the default');
    await t.rejects(NAME_STEP.run(dialogue({ answers: { name: 'a\nb' } }).input), {
      code: 'MND_USAGE',
      message: /--name.*control characters/,
    });
  },
);
