import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../config/config.js';
import { codedError, messageOf } from '../errors.js';
import { nearestOf } from '../nearest.js';
import type { Message, Notice } from '../notify/notice.js';
import { type WantedChannel, wantedChannels } from '../notify/registry.js';
import { namesIn, type RuleConfig } from '../notify/rule-keys.js';
import type { CommandContext, Register } from './command.js';
import { endWith, writeJsonLine, writeLine } from './output.js';

interface Flags {
  readonly test?: string;
  readonly list?: boolean;
  readonly json?: boolean;
}

export const register: Register = (program, context) => {
  program
    .command('notify')
    .summary('list the rules of notifications, or try one')
    .description(
      [
        'Lists the rules of the configuration: when each tells whom. With --test it sends a drawn event',
        'with a picture through every channel of a rule, at once, whatever the time and the cool-down, and',
        'says how each answered; the daemon need not run. Exits with 1 when one of them failed.',
      ].join('\n'),
    )
    .option('--test <rule>', 'try this rule')
    .option('--list', 'list the rules (also without any option)')
    .option('--json', 'one JSON object a line')
    .action(async (flags: Flags) => {
      const config = context.loadConfig();
      if (flags.test === undefined) list(config, flags, context);
      else await test(flags.test, config, flags, context);
    });
};

function list(config: Config, { json }: Flags, { stdout, stderr }: CommandContext): void {
  for (const [name, rule] of Object.entries(config.notify)) {
    const channels = wantedChannels(rule.to).map((each) => `${each.name} (${each.target})`);
    const when = whenText(rule);
    if (json) {
      writeJsonLine(stdout, { rule: name, enabled: rule.enabled, when, to: channels });
      continue;
    }
    writeLine(stdout, `${name}${rule.enabled ? '' : ' (not enabled)'}`);
    writeLine(stdout, `  when ${when}; not again for ${rule.cooldown} s`);
    for (const channel of channels) writeLine(stdout, `  to ${channel}`);
  }
  if (Object.keys(config.notify).length === 0) {
    writeLine(stderr, 'there are no rules: see docs/notify.md');
  }
}

/** A rule's conditions in words. */
function whenText({ when }: RuleConfig): string {
  const any = (value: string | readonly string[] | null) => namesIn(value)?.join(' or ') ?? null;
  const zones = any(when.zone);
  const subLabels = any(when.sub_label);
  return [
    any(when.label) ?? 'anything',
    `at ${any(when.camera) ?? 'any camera'}`,
    ...(zones === null ? [] : [`in ${zones}`]),
    ...(subLabels === null ? [] : [`that is ${subLabels}`]),
    ...(when.score > 0 ? [`with a score of ${when.score}`] : []),
    ...(when.dwell > 0 ? [`for ${when.dwell} s`] : []),
    ...(when.schedule.length > 0 ? [`(${when.schedule.join('; ')})`] : []),
  ].join(' ');
}

async function test(
  name: string,
  config: Config,
  { json }: Flags,
  context: CommandContext,
): Promise<void> {
  const rule = ruleNamed(name, config);
  const folder = mkdtempSync(join(tmpdir(), 'mobilenetd-notify-'));
  try {
    const message = await testMessage(name, rule, config, folder);
    await tryAll({ name, rule, message }, config, json === true, context);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Trial {
  readonly name: string;
  readonly rule: RuleConfig;
  readonly message: Message;
}

async function tryAll(
  { name, rule, message }: Trial,
  config: Config,
  json: boolean,
  context: CommandContext,
): Promise<void> {
  let failed = false;
  for (const channel of wantedChannels(rule.to)) {
    const began = performance.now();
    const outcome = await tryChannel(channel, message, config, context);
    const ms = Math.round(performance.now() - began);
    const error = outcome.kind === 'done' ? null : outcome.why;
    failed ||= error !== null;
    if (json) writeJsonLine(context.stdout, { rule: name, channel: channel.name, ms, error });
    else {
      const result = error === null ? `taken in ${ms} ms` : `FAILED: ${error}`;
      writeLine(context.stdout, `${channel.name} to ${channel.target}: ${result}`);
    }
  }
  if (failed) throw endWith(1);
}

function ruleNamed(name: string, config: Config): RuleConfig {
  const rule = Object.hasOwn(config.notify, name) ? config.notify[name] : undefined;
  if (rule !== undefined) return rule;
  const known = Object.keys(config.notify);
  const near = nearestOf(name, known);
  throw codedError('MND_USAGE', {
    subject: `rule ${name}`,
    expected: known.length === 0 ? 'a rule below notify in the configuration' : known.join(', '),
    found: 'no rule of this name',
    ...(near !== null && { next: `did you mean ${near}?` }),
  });
}

async function tryChannel(
  { name, create }: WantedChannel,
  message: Message,
  config: Config,
  { env, signal }: CommandContext,
): Promise<Awaited<ReturnType<ReturnType<WantedChannel['create']>>>> {
  const broker = name === 'homeassistant' ? await connect(config).catch(messageOf) : null;
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
async function connect(config: Config) {
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
    // It keeps the process alive, which the connection itself does not.
    const timer = setTimeout(() => resolve(false), CONNECT_MS);
    connection.onConnect(() => {
      clearTimeout(timer);
      resolve(true);
    });
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
  const now = Date.now();
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
