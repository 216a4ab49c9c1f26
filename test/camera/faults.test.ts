// A process of its own: it measures memory.
import type { ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t from 'tap';
import { createSlot } from '#mobilenetd/camera/slot.js';
import { createLibcameraStream } from '#mobilenetd/camera/sources/libcamera/stream.js';
import { superviseSource } from '#mobilenetd/camera/supervisor.js';
import { mulberry32 } from '#mobilenetd/simulator/random.js';
import { createFakeClock } from '../fake-clock.js';

const WIDTH = 128;
const HEIGHT = 64;
const LENGTH = WIDTH * HEIGHT * 1.5;
const INTERVAL = 250;
/** Seconds. */
const STALL = 5;

const FAULTS = [
  'hang',
  'exit',
  'crash',
  'garbage',
  'lost bytes',
  'half frame',
  'wrong size',
  'trickle',
  'spawn failure',
  'no such program',
  'stubborn hang',
  'stuck in the kernel',
  'broken pipe',
] as const;
type Fault = (typeof FAULTS)[number];

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Bytes of objects and buffers that are in use; buffers are given back some time after a collection. */
async function memory(): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let pass = 0; pass < 5; pass += 1) {
    collect();
    await delay(20);
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    least = Math.min(least, heapUsed + arrayBuffers);
  }
  return least;
}

/** A camera program on the fake clock: good frames at first, then its fault. */
function startCamera(clock: ReturnType<typeof createFakeClock>, fault: Fault, goodFrames: number) {
  const stream = () => Object.assign(new EventEmitter(), { destroy: () => {} });
  const [stdout, stderr] = [stream(), stream()];
  let cancel = (): void => {};
  let number = 0;
  let alive = true;
  const exit = (code: number | null, signal: string | null): void => {
    if (!alive) return;
    alive = false;
    cancel();
    child.emit('exit', code, signal);
    child.emit('close', code, signal);
  };
  const child = Object.assign(new EventEmitter(), {
    stdout,
    stderr,
    pid: fault === 'no such program' ? undefined : 4242,
    unref: () => {},
    kill(signal: string) {
      if (fault === 'stuck in the kernel') return true;
      if (fault === 'stubborn hang' && signal !== 'SIGKILL') return true;
      queueMicrotask(() => exit(signal === 'SIGINT' ? 0 : null, signal));
      return true;
    },
  });
  const write = (bytes: Uint8Array): void => {
    for (let from = 0; from < bytes.length; from += 4096) {
      stdout.emit('data', bytes.subarray(from, from + 4096));
    }
  };
  const frame = (length = LENGTH) => new Uint8Array(length).fill(number % 256);
  const misbehave = (): void => {
    const first = number === goodFrames + 1;
    // Foreign bytes in front of a stream are got over: that camera needs another end.
    if (number > goodFrames + 200) exit(255, null);
    switch (fault) {
      case 'exit':
        exit(255, null);
        break;
      case 'crash':
        exit(null, 'SIGSEGV');
        break;
      case 'half frame':
        write(frame(LENGTH / 2));
        exit(255, null);
        break;
      case 'garbage':
        write(first ? new Uint8Array(LENGTH + 37).fill(255) : frame());
        break;
      case 'lost bytes':
        write(first ? frame(LENGTH - 1000) : frame());
        break;
      case 'wrong size':
        write(frame(LENGTH / 2 + 64));
        break;
      case 'trickle':
        write(frame(10));
        break;
      case 'broken pipe':
        stdout.emit('error', new Error('EPIPE'));
        exit(141, null);
        break;
      default:
        break;
    }
  };
  const tick = (): void => {
    number += 1;
    if (number <= goodFrames) write(frame());
    else misbehave();
    if (alive) cancel = clock.setTimer(tick, INTERVAL);
  };
  if (fault === 'no such program') {
    queueMicrotask(() => child.emit('error', Object.assign(new Error('gone'), { code: 'ENOENT' })));
  } else cancel = clock.setTimer(tick, INTERVAL);
  return { child: child as unknown as ChildProcess, vanish: () => exit(null, 'SIGKILL') };
}

t.test('200 faults in random order: every recovery in time, no wrong frame', async (t) => {
  const clock = createFakeClock({ io: false });
  const random = mulberry32(42);
  const wrong: string[] = [];
  const late: string[] = [];
  const counts = new Map<Fault, number>();
  const stuck: (() => void)[] = [];
  const slot = createSlot({ camera: 'front', clock: { now: clock.now, wall: clock.now } });
  let faults = 0;
  let frames = 0;
  let fault: Fault | null = null;
  let firstFrame: number | null = null;
  let lastSign = 0;
  let pause = 1000;

  const spawn = (): ChildProcess => {
    fault = FAULTS[Math.floor(random() * FAULTS.length)] ?? 'exit';
    counts.set(fault, (counts.get(fault) ?? 0) + 1);
    faults += 1;
    if (fault === 'spawn failure') throw new Error('EAGAIN');
    // Now and then it works for more than a minute, which starts the pauses over.
    const goodFrames = random() < 0.2 ? 280 : Math.floor(random() * 30);
    const { child, vanish } = startCamera(clock, fault, goodFrames);
    if (fault === 'stuck in the kernel') stuck.push(vanish);
    return child;
  };
  /** How long the last attempt may have taken to be noticed, ended and followed by this one. */
  const checkRecovery = (): void => {
    if (fault === null) return;
    if (firstFrame !== null && lastSign - firstFrame >= 60_000) pause = 1000;
    const ending = fault === 'stubborn hang' ? 5000 : fault === 'stuck in the kernel' ? 7000 : 0;
    const took = clock.now() - lastSign;
    if (took > STALL * 1000 + ending + pause + 2000) late.push(`${fault}: ${took} ms`);
    pause = Math.min(pause * 2, 60_000);
  };
  const stop = new AbortController();
  const done = superviseSource(
    {
      name: 'front',
      createSource: () => {
        checkRecovery();
        firstFrame = null;
        lastSign = clock.now();
        const size = [WIDTH, HEIGHT] as const;
        return createLibcameraStream({
          size,
          fps: 1000 / INTERVAL,
          program: '/bin/camera',
          spawn,
          clock,
        });
      },
      stallTimeout: STALL,
      onFrame: (captured) => {
        frames += 1;
        lastSign = clock.now();
        firstFrame ??= lastSign;
        const { bytes } = captured;
        if (Buffer.compare(bytes, new Uint8Array(LENGTH).fill(bytes[0] ?? 0)) !== 0) {
          wrong.push(`${fault}: ${bytes.length} bytes`);
        }
        slot.put(captured);
        const taken = slot.take();
        if (taken !== null) slot.release(taken);
      },
      onStatus: () => {},
      clock,
      random: () => 1,
    },
    stop.signal,
  );
  let settled: number | null = null;
  for (let step = 0; faults < 200 && step < 10_000; step += 1) {
    await clock.advance(10_000);
    if (faults >= 60) settled ??= await memory();
  }
  const grown = (await memory()) - (settled ?? 0);
  stop.abort();
  await clock.advance(20_000);
  await done;
  for (const vanish of stuck) vanish();
  await clock.advance(5000);

  t.ok(faults >= 200, `${faults} faults`);
  t.ok(clock.now() >= 600_000, `${Math.round(clock.now() / 60_000)} minutes`);
  t.ok(grown < 1_000_000, `${grown} bytes more after the last 140 faults`);
  t.equal(counts.size, FAULTS.length, 'every kind of fault occurred');
  t.ok(frames > 1000, `${frames} frames`);
  t.same(wrong, [], 'no half, shifted or foreign frame');
  t.same(late, [], 'every recovery within stall, end and pause and two seconds');
  t.equal(clock.pending(), 0, 'no timer is left');
});
