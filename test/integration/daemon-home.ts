import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { askDaemon } from '#mobilenetd/control/client.js';
import type { StatusReport } from '#mobilenetd/control/report.js';
import { startEmbeddedBroker } from '#mobilenetd/mqtt/broker/embedded.js';
import { MAIN, preparePictures, subscriber } from './daemon-process.js';
import { installRandomModel } from './demo-process.js';

/** A state folder with a model; its path is short, for the control socket is in it. */
export async function home(t: Test): Promise<{ folder: string; pictures: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'mnd-'));
  // A daemon that is just ending may write one file more.
  t.teardown(() =>
    rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 200 }),
  );
  await installRandomModel(folder);
  return { folder, pictures: await preparePictures(folder) };
}

export async function broker(t: Test) {
  const started = await startEmbeddedBroker({ host: '127.0.0.1', port: 0 });
  t.teardown(() => started.close());
  const listener = await subscriber(started.url);
  t.teardown(() => listener.end());
  return { url: started.url, listener };
}

/** Runs a command against the state folder, without holding up this process: a broker is in it. */
export async function command(folder: string, config: string, ...args: readonly string[]) {
  const child = spawn(process.execPath, [MAIN, '--config', config, ...args], {
    env: { PATH: process.env.PATH, HOME: folder, MOBILENETD_STATE: folder },
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const [status] = await once(child, 'close');
  return { status, stdout, stderr };
}

export async function report(folder: string): Promise<StatusReport> {
  const sockets = [join(folder, 'control.sock')];
  return (await askDaemon({ verb: 'status' }, { sockets })) as StatusReport;
}
