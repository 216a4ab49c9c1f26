import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import sharp from 'sharp';
import type { Test } from 'tap';
import { UNIT } from '#mobilenetd/convert/scaling.js';
import { openShelf } from '#mobilenetd/models/shelf.js';
import { hashPassword } from '#mobilenetd/mqtt/broker/password.js';
import { createBoardTree } from '../integration/board-tree.js';
import { runDaemon } from '../integration/daemon-process.js';
import { STEADY_LABELS, steadyDetector } from './steady-detector.js';

/** Who may log in, and with what. */
export const PASSWORDS = { anna: 'correct horse', bert: 'battery staple' };

export interface PageDaemon {
  readonly url: string;
  readonly broker: string;
  /** The configuration it runs with. */
  readonly config: Readonly<Record<string, unknown>> & {
    readonly cameras: Readonly<Record<string, object>>;
  };
}

/**
 * A daemon with a detector that always sees a person and a car, a camera that is there and one that is not, a
 * zone in which the person stands, a governor, and a page that asks for a user.
 */
export async function startPageDaemon(t: Test): Promise<PageDaemon> {
  const folder = mkdtempSync(join(tmpdir(), 'mnd-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true, maxRetries: 20 }));
  await installDetector(folder);
  const picture = join(folder, 'picture.jpg');
  await sharp('assets/demo/coffee.jpg').resize(640, 480, { fit: 'cover' }).toFile(picture);
  const board = createBoardTree(folder);
  board.write(52, 0, 0.3);
  const config = await configOf(picture, board);
  const file = join(folder, 'config.yaml');
  writeFileSync(file, JSON.stringify(config));
  const daemon = runDaemon(folder, file);
  t.teardown(() => daemon.end('SIGTERM'));
  const found = (pattern: RegExp) => pattern.exec(daemon.log())?.[1] ?? null;
  const page = () => found(/"url":"(http:[^"]+)"/);
  const broker = () => found(/"broker":"(mqtt:[^"]+)"/);
  while (page() === null || broker() === null) {
    if (daemon.child.exitCode !== null) throw new Error(daemon.log());
    await delay(50);
  }
  return { url: page() ?? '', broker: broker() ?? '', config };
}

/** Installs a detector that sees the same things in every frame, in the state folder of a daemon. */
export async function installDetector(folder: string): Promise<void> {
  const [file, labels] = [join(folder, 'steady.onnx'), join(folder, 'labels.txt')];
  writeFileSync(file, steadyDetector());
  writeFileSync(labels, `${STEADY_LABELS.join('\n')}\n`);
  await openShelf({ dir: join(folder, 'models'), env: {} }).add(file, {
    ...{ labels, name: 'steady', task: 'detect' },
    picture: { scaling: UNIT, reversed: false, size: null },
  });
}

async function configOf(picture: string, { sysfs, proc }: { sysfs: string; proc: string }) {
  const [anna, bert] = await Promise.all(
    [PASSWORDS.anna, PASSWORDS.bert].map((password) => hashPassword(password)),
  );
  const porch = [
    [0, 0.4],
    [0.5, 0.4],
    [0.5, 1],
    [0, 1],
  ];
  return {
    node: 'board',
    log: { format: 'json' },
    model: { task: 'detect', name: 'steady' },
    governor: { sysfs_root: sysfs, proc_root: proc },
    mqtt: { embedded: { listen: '127.0.0.1:0' } },
    status: {
      listen: '127.0.0.1:0',
      users: { anna: { password: anna, role: 'admin' }, bert: { password: bert } },
    },
    cameras: {
      front: {
        source: 'files',
        path: picture,
        fps: 5,
        loop: true,
        zones: { porch: { area: porch } },
      },
      yard: { source: 'snapshot', url: 'http://127.0.0.1:9/picture.jpg' },
    },
  };
}
