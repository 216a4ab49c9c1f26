import { readlinkSync, writeFileSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';
import { basename } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { type Answer, GREETING_ID, type Request, toWire } from './protocol.js';

const port = parentPort;
if (port === null) throw new Error('this file runs as a worker thread');

const { threads, nice } = workerData as { readonly threads: number; readonly nice: number };
nameThread('inference');
giveWay(nice);
try {
  // onnxruntime's addon is loaded here: a broken installation is reported, not thrown.
  const { createInferenceService } = await import('./service.js');
  const service = createInferenceService(threads);
  port.on('message', async (request: Request) => {
    port.postMessage(await service.handle(request));
    if (request.kind === 'shutdown') port.close();
  });
  port.postMessage({ id: GREETING_ID, ok: true, value: { loaded: [] } } satisfies Answer);
} catch (error) {
  const reason = toWire(error, 'MND_INFERENCE_FAILED');
  port.postMessage({ id: GREETING_ID, ok: false, error: reason } satisfies Answer);
}

/** What `top -H` shows instead of Node's name for every thread: proc(5), /proc/pid/task/tid/comm. */
function nameThread(name: string): void {
  try {
    writeFileSync('/proc/thread-self/comm', name);
  } catch {
    // Not Linux, or /proc is read-only here: it keeps Node's name.
  }
}

/** On Linux each thread has a priority of its own, by its thread id: setpriority(2), "C library/kernel differences". */
function giveWay(by: number): void {
  if (by === 0) return;
  try {
    const thread = Number(basename(readlinkSync('/proc/thread-self')));
    setPriority(thread, Math.min(19, getPriority(thread) + by));
  } catch {
    // Not Linux, or it is forbidden here: it runs as the others do.
  }
}
