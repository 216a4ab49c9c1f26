import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../config/config.js';
import { messageOf } from '../errors.js';
import type { Message, Notice } from '../notify/notice.js';
import { type WantedChannel, wantedChannels } from '../notify/registry.js';
import { namesIn, type RuleConfig } from '../notify/rule-keys.js';
import { systemClock } from '../time.js';
import type { CommandContext } from './command.js';

type Surroundings = Pick<CommandContext, 'env' | 'signal'>;

/** How a channel of a rule took a drawn event; `error` is null when it took it. */
export interface ChannelTrial {
  readonly channel: WantedChannel;
  readonly ms: number;
  readonly error: string | null;
}

/** Sends a drawn event with a picture through every channel of a rule; the daemon need not run. */
export async function tryRule(
  name: string,
  config: Config,
  around: Surroundings,
): Promise<readonly ChannelTrial[]> {
  const rule = config.notify[name];
  if (rule === undefined) return [];
  // Before there is a folder: whoever looks at the signal is not ended by it.
  around.signal.throwIfAborted();
  const folder = mkdtempSync(join(tmpdir(), 'mobilenetd-notify-'));
  try {
    const message = await testMessage(name, rule, config, folder);
    const trials: ChannelTrial[] = [];
    for (const channel of wantedChannels(rule.to)) {
      const began = systemClock.now();
      const outcome = await tryChannel(channel, message, config, around);
      around.signal.throwIfAborted();
      const error = outcome.kind === 'done' ? null : outcome.why;
      trials.push({ channel, ms: Math.round(systemClock.now() - began), error });
    }
    return trials;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function tryChannel(
  { name, create }: WantedChannel,
  message: Message,
  config: Config,
  { env, signal }: Surroundings,
): Promise<Awaited<ReturnType<ReturnType<WantedChannel['create']>>>> {
  const broker = name === 'homeassistant' ? await connect(config, signal).catch(messageOf) : null;
  if (typeof broker === 'string') return { kind: 'later', why: broker, afterMs: null };
  try {
    const surroundings = { fetch, env, folder: '/', publish: broker?.publish ?? null };
    return await create(surroundings)(message, signal);
  } finally {
    await broker?.close();
  }
}

const CONNECT_MS = 10_000;

/** A connection of its own: the daemon need not run. */
async function connect(config: Config, signal: AbortSignal) {
  const { createConnection } = await import('../mqtt/connection/connection.js');
  const { createTopics } = await import('../mqtt/topics.js');
  const { messagingOptionsOf } = await import('../daemon/options/broker.js');
  const options = messagingOptionsOf(config);
  const { url, connection: how } = options;
  const topics = createTopics(options);
  const connection = createConnection({
    ...how,
    clientId: `mobilenetd-notify-${process.pid}`,
    url: url ?? `mqtt://${config.mqtt.embedded.listen}`,
    ...(url === null && { protocol: 4 }),
  });
  const connected = new Promise<boolean>((resolve) => {
    const end = (isConnected: boolean) => {
      cancel();
      resolve(isConnected);
    };
    // It keeps the process alive, which the connection itself does not.
    const cancel = systemClock.setTimer(() => end(false), CONNECT_MS);
    signal.addEventListener('abort', () => end(false), { once: true });
    connection.onConnect(() => end(true));
  });
  connection.start();
  if (!(await connected)) {
    await connection.close();
    throw new Error(`the broker cannot be reached within ${CONNECT_MS / 1000} s`);
  }
  return {
    close: () => connection.close(),
    publish: (payload: object) =>
      connection.publish(topics.notify, JSON.stringify(payload), { qos: 1, retain: false }),
  };
}

/** An event as it could be, with a drawn picture. */
async function testMessage(
  name: string,
  rule: RuleConfig,
  config: Config,
  folder: string,
): Promise<Message> {
  const { render } = await import('../notify/template.js');
  const { eventPayload } = await import('../mqtt/publish/payloads.js');
  const now = systemClock.wall();
  const camera = namesIn(rule.when.camera)?.[0] ?? Object.keys(config.cameras)[0] ?? 'camera';
  const event = eventPayload(
    {
      ...{
        id: `test-${now}`,
        type: 'new',
        camera,
        label: namesIn(rule.when.label)?.[0] ?? 'person',
      },
      ...{ score: 0.87, start: now, end: null, model: 'test', alpha: 1, size: 320, count: 1 },
      box: [220, 90, 200, 300],
      ...{ object: null, stationary: false, zones: namesIn(rule.when.zone) ?? [], loitering: [] },
      ...{ subLabel: null, subScore: null },
    },
    rule.picture ? now : null,
  );
  const notice: Notice = {
    rule: name,
    time: now,
    node: config.node,
    board: config.name ?? config.node,
    cameraName: config.cameras[camera]?.name ?? camera,
    event,
    test: true,
  };
  const picture = rule.picture ? await drawnPicture() : null;
  const pictureFile = picture === null ? null : join(folder, 'picture.jpg');
  if (picture !== null && pictureFile !== null) writeFileSync(pictureFile, picture);
  return {
    notice,
    title: render(rule.title, notice),
    text: `${render(rule.message, notice)} (a test)`,
    picture,
    pictureFile,
  };
}

async function drawnPicture(): Promise<Uint8Array> {
  const { default: sharp } = await import('sharp');
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="640" height="480">
    <rect width="640" height="480" fill="#20302c"/>
    <rect x="220" y="90" width="200" height="300" fill="none" stroke="#4fd1bb" stroke-width="4"/>
    <circle cx="320" cy="170" r="45" fill="#4fd1bb"/>
    <path d="M240 380 Q320 200 400 380 Z" fill="#4fd1bb"/>
  </svg>`;
  return sharp(Buffer.from(svg)).jpeg({ quality: 80 }).toBuffer();
}
