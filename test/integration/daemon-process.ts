import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import mqtt, { type IClientOptions } from 'mqtt';
import sharp from 'sharp';
import { eventually } from '../eventually.js';

export const MAIN = 'dist/cli/main.js';

/** A folder with two pictures, to be shown in turn. */
export async function preparePictures(folder: string): Promise<string> {
  const pictures = join(folder, 'pictures');
  mkdirSync(pictures);
  for (const [index, colour] of ['#c03020', '#2050c0'].entries()) {
    const picture = sharp({ create: { width: 64, height: 48, channels: 3, background: colour } });
    await picture.jpeg().toFile(join(pictures, `${index}.jpg`));
  }
  return pictures;
}

export interface ConfigParts {
  readonly cameras: readonly string[];
  readonly pictures: string;
  /** Of each camera; default 10. Two are enough, and cost less, where a test waits for something else. */
  readonly fps?: number;
  /** Broker, unless `mqtt` says it all. */
  readonly url?: string;
  /** The section mqtt, in JSON's subset of YAML. */
  readonly mqtt?: object;
  /** Default: the random model of installRandomModel. */
  readonly model?: object;
  /** Further sections, by name. */
  readonly more?: Readonly<Record<string, object>>;
}

/** Text of a configuration with the random model and cameras that show pictures. */
export function configOf(parts: ConfigParts): string {
  const { url, cameras, pictures, fps = 10, mqtt, model, more = {} } = parts;
  const lines = cameras.map(
    (name) => `  ${name}: { source: files, path: ${pictures}, fps: ${fps}, loop: true }`,
  );
  return [
    'node: board',
    `model: ${JSON.stringify(model ?? { task: 'classify', name: 'random_v1' })}`,
    'presence: { enter: 0.3, stay: 0.2 }',
    `mqtt: ${JSON.stringify(mqtt ?? { url })}`,
    ...Object.entries(more).map(([name, section]) => `${name}: ${JSON.stringify(section)}`),
    'cameras:',
    ...lines,
    '',
  ].join('\n');
}

export function writeConfig(folder: string, parts: ConfigParts): string {
  const file = join(folder, 'config.yaml');
  writeFileSync(file, configOf(parts));
  return file;
}

export interface DaemonProcess {
  readonly child: ChildProcess;
  /** What it has logged so far. */
  log(): string;
  end(signal: NodeJS.Signals): Promise<{ code: number | null; ms: number }>;
}

/** A test that fails must not leave its daemons behind. */
const children = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

/** Starts `mobilenetd run` and collects its log. */
export function runDaemon(
  folder: string,
  config: string,
  env: NodeJS.ProcessEnv = {},
): DaemonProcess {
  const child = spawn(process.execPath, [MAIN, 'run', '--config', config], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: process.env.PATH, HOME: folder, MOBILENETD_STATE: folder, ...env },
  });
  children.add(child);
  let log = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    log += chunk.toString();
  });
  const exited = once(child, 'exit').finally(() => children.delete(child));
  return {
    child,
    log: () => log,
    async end(signal) {
      const started = performance.now();
      child.kill(signal);
      const [code] = await exited;
      return { code, ms: performance.now() - started };
    },
  };
}

export interface Subscriber {
  /** The newest payload by topic. */
  readonly values: Map<string, string>;
  readonly client: mqtt.MqttClient;
  /** False if a topic of the board does not get the value. */
  until(topic: string, value: string): Promise<boolean>;
  /** Publishes below the board's topics. */
  say(topic: string, text: string): Promise<unknown>;
  end(): Promise<void>;
}

/** A client that waits for values of topics of the node `board`. */
export async function subscriber(url: string, options: IClientOptions = {}): Promise<Subscriber> {
  const client = await mqtt.connectAsync(url, options);
  const values = new Map<string, string>();
  client.on('message', (topic, payload) => values.set(topic, payload.toString()));
  await client.subscribeAsync('mobilenetd/board/#', { qos: 1 });
  return {
    values,
    client,
    end: () => client.endAsync(),
    say: (topic, text) => client.publishAsync(`mobilenetd/board/${topic}`, text, { qos: 1 }),
    until: (topic, value) => eventually(() => values.get(`mobilenetd/board/${topic}`) === value),
  };
}
