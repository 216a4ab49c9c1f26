import { join } from 'node:path';
import { SOURCE_KEYS, SOURCES } from '../../../camera/registry.js';
import { codedError } from '../../../errors.js';
import { type Choice, yesOrNo } from '../question.js';
import type { CameraLook, FoundCamera, Step, StepInput } from '../step.js';
import { cameraMeant, KEEP } from './camera-answer.js';
import { topicNameOf } from './name.js';

type Looks = Map<string, CameraLook>;

export const CAMERA_STEP: Step = {
  name: 'camera',
  title: 'Camera',
  options: [
    {
      name: 'camera',
      value: '<camera>',
      help: 'libcamera, a device (/dev/video0), an address (rtsp://…, http://…), or keep',
    },
    { name: 'camera-name', value: '<name>', help: 'its name in topics' },
    { name: 'camera-user', value: '<name>', help: 'user name of a network camera, or none' },
    {
      name: 'camera-password-file',
      value: '<file>',
      help: 'file whose first line is its password',
    },
    { name: 'camera-anyway', value: '<yes|no>', help: 'take it although no picture came' },
  ],
  async run(input) {
    const { asker, draft, around, signal } = input;
    asker.say('Looking for cameras …');
    const found = await around.findCameras();
    const looks: Looks = new Map();
    for (const camera of found) await lookAt(camera, looks, input);
    const configured = Object.keys(input.load().config.cameras);
    for (;;) {
      signal.throwIfAborted();
      const chosen = await chooseCamera(found, configured, input);
      const facts = found.map(({ name, what }) => ({ name, what, ...looks.get(name) }));
      if (chosen === null) return { found: facts, cameras: configured };
      const wanted = await withLogin(chosen, input);
      const look = looks.get(wanted.name) ?? (await lookAt(wanted, looks, input));
      if (look.delivers || (await isTakenAnyway(wanted, look, input))) {
        const name = await askName(configured, input);
        draft.set(
          ['cameras'],
          draft.get(['cameras']) ?? {},
          'The cameras, by their names in topics.',
        );
        write(name, wanted.settings, input);
        const { delivers, picture } = look;
        return { found: facts, camera: name, source: wanted.settings.source, delivers, picture };
      }
      looks.delete(wanted.name);
    }
  },
};

async function lookAt(
  { name, what, settings }: FoundCamera,
  looks: Looks,
  { asker, around, signal }: StepInput,
): Promise<CameraLook> {
  signal.throwIfAborted();
  const look = await around.lookThrough(settings);
  signal.throwIfAborted();
  looks.set(name, look);
  const picture = look.picture === null ? '' : `\n    picture: ${look.picture}`;
  asker.say(`  ${what}: ${look.found}${picture}`);
  if (look.next !== null) asker.say(`    → ${look.next}.`);
  return look;
}

function chooseCamera(
  found: readonly FoundCamera[],
  configured: readonly string[],
  { asker }: StepInput,
): Promise<FoundCamera | null> {
  const choices: Choice[] = [
    ...(configured.length > 0 ? [{ name: KEEP, text: `as it is: ${configured.join(', ')}` }] : []),
    ...found.map(({ name, what }) => ({ name, text: `${what} (${name})` })),
  ];
  if (found.length === 0) asker.say('  No camera was found on this board.');
  return asker.ask({
    option: 'camera',
    text: 'Camera: a number, a device, or the address of a network camera',
    choices,
    fallback: choices[0]?.name ?? null,
    parse: (answer) => cameraMeant(answer, found, configured),
  });
}

/** A network camera mostly wants to know who asks. */
async function withLogin(camera: FoundCamera, { asker }: StepInput): Promise<FoundCamera> {
  const { settings } = camera;
  if (settings.url === undefined) return camera;
  const known = typeof settings.username === 'string' ? settings.username : 'none';
  const username = await asker.ask({
    option: 'camera-user',
    text: 'User name of the camera, or none',
    fallback: known,
    parse: (answer) => ({ value: answer }),
  });
  const { username: _old, password: given, ...plain } = settings;
  if (username === 'none') return { ...camera, settings: plain };
  const password =
    given ??
    (await asker.ask({
      option: 'camera-password-file',
      text: 'Its password (it is not shown)',
      fallback: null,
      secret: true,
      parse: (answer) => ({ value: answer }),
    }));
  return { ...camera, settings: { ...plain, username, password } };
}

/** @throws MND_CAMERA_FAILED where nobody can be asked for another one */
async function isTakenAnyway(
  camera: FoundCamera,
  look: CameraLook,
  { asker }: StepInput,
): Promise<boolean> {
  const text = 'No picture came. Take this camera anyway';
  if (await asker.ask(yesOrNo('camera-anyway', text, false))) return true;
  if (asker.canAsk) return false;
  throw codedError('MND_CAMERA_FAILED', {
    subject: camera.name,
    found: look.found,
    next: `${look.next ?? 'see `mobilenetd doctor`'}; --camera-anyway yes takes it as it is`,
  });
}

function askName(configured: readonly string[], { asker }: StepInput): Promise<string> {
  const [only] = configured;
  const text =
    configured.length === 0
      ? 'Its name, as topics have it'
      : `Its name, as topics have it (there are: ${configured.join(', ')}; another name adds a camera)`;
  return asker.ask({
    option: 'camera-name',
    text,
    fallback: configured.length === 1 && only !== undefined ? only : 'front',
    parse: topicNameOf,
  });
}

/** Keys that another kind of camera had go; what the user said besides stays. */
function write(
  name: string,
  settings: FoundCamera['settings'],
  { draft, folder }: StepInput,
): void {
  const path = ['cameras', name];
  const source = String(settings.source) as keyof typeof SOURCES;
  const fitting: Readonly<Record<string, unknown>> = SOURCES[source].keys;
  for (const key of Object.keys(SOURCE_KEYS)) {
    const isGone = !Object.hasOwn(fitting, key) || (LOGIN.has(key) && settings[key] === undefined);
    if (isGone && draft.get([...path, key]) !== undefined) draft.remove([...path, key]);
  }
  const { password, ...plain } = settings;
  for (const [key, value] of Object.entries(plain)) draft.set([...path, key], value);
  if (typeof password !== 'string') return;
  const file = join(folder, `${name}.password`);
  draft.keepSecret(file, password);
  draft.set([...path, 'password_file'], file);
}

const LOGIN = new Set(['username', 'password', 'password_file']);
