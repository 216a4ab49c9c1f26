import t from 'tap';
import { createSlot, frameLength, MAX_FRAME_BYTES } from '#mobilenetd/camera/slot.js';
import type { CapturedFrame, Frame } from '#mobilenetd/camera/source.js';

function gray(value: number, width = 4, height = 2): CapturedFrame {
  const bytes = new Uint8Array(width * height * 3).fill(value);
  return { width, height, format: 'rgb24', range: 'full', bytes };
}

function jpeg(length: number, value = 1): CapturedFrame {
  const bytes = new Uint8Array(length).fill(value);
  return { width: 0, height: 0, format: 'jpeg', range: 'full', bytes };
}

function clockedSlot(onAvailable?: () => void) {
  let tick = 0;
  const now = () => {
    tick += 10;
    return tick;
  };
  return createSlot({ camera: 'front', clock: { now, wall: () => 1_000_000 + tick }, onAvailable });
}

function mustTake(slot: ReturnType<typeof createSlot>): Frame {
  const frame = slot.take();
  if (frame === null) throw new Error('no frame was waiting');
  return frame;
}

t.test('a frame is stamped, numbered and copied into shared memory', (t) => {
  let called = 0;
  const slot = clockedSlot(() => {
    called += 1;
  });
  t.equal(slot.take(), null);
  const captured = gray(7);
  slot.put(captured);
  captured.bytes.fill(0);
  const frame = mustTake(slot);
  t.match(frame, { sequence: 1, camera: 'front', capturedAt: 10, time: 1_000_010, width: 4 });
  t.ok(frame.bytes.buffer instanceof SharedArrayBuffer);
  t.same([...frame.bytes], new Array(24).fill(7), 'the source may reuse its bytes');
  t.equal(slot.take(), null, 'a frame is taken once');
  t.equal(called, 1);
  t.end();
});

t.test('the newest frame wins and the older one is counted', (t) => {
  const slot = clockedSlot();
  for (const value of [1, 2, 3]) slot.put(gray(value));
  const frame = mustTake(slot);
  t.equal(frame.sequence, 3);
  t.equal(frame.bytes[0], 3);
  t.same(slot.stats(), { delivered: 3, skipped: 0, taken: 1, dropped: 2 });
  t.end();
});

t.test('a taken frame keeps its bytes until it is released', (t) => {
  const slot = clockedSlot();
  slot.put(gray(1));
  const first = mustTake(slot);
  for (let value = 2; value < 50; value += 1) slot.put(gray(value));
  t.ok(first.bytes.every((byte) => byte === 1));
  const second = mustTake(slot);
  t.ok(second.bytes.every((byte) => byte === 49));
  t.not(first.bytes.buffer, second.bytes.buffer);
  slot.release(first);
  t.end();
});

t.test('a steady stream uses the same few buffers', (t) => {
  const slot = clockedSlot();
  const memories = new Set<ArrayBufferLike>();
  for (let index = 0; index < 1000; index += 1) {
    slot.put(gray(index % 256));
    slot.put(gray((index + 1) % 256));
    const frame = mustTake(slot);
    memories.add(frame.bytes.buffer);
    slot.put(gray(3));
    slot.release(frame);
  }
  t.ok(memories.size <= 3, `${memories.size} buffers`);
  t.end();
});

t.test('with three frames taken a fourth is dropped, not queued', (t) => {
  const slot = clockedSlot();
  const frames = [1, 2, 3].map((value) => {
    slot.put(gray(value));
    return mustTake(slot);
  });
  slot.put(gray(4));
  t.equal(slot.take(), null);
  t.same(slot.stats(), { delivered: 4, skipped: 0, taken: 3, dropped: 1 });
  t.same(
    frames.map(({ bytes }) => bytes[0]),
    [1, 2, 3],
  );
  const [first] = frames;
  if (first !== undefined) {
    slot.release(first);
    slot.release(first);
  }
  slot.put(gray(5));
  t.match(slot.take(), { sequence: 5 });
  slot.put(gray(6));
  t.equal(slot.take(), null, 'a frame released twice frees one buffer');
  t.end();
});

t.test('buffers follow the size of the frames, up and down', (t) => {
  const slot = clockedSlot();
  for (const length of [1, 70_000, 65_536, 5_000_000, 100, 300_000]) {
    slot.put(jpeg(length, 9));
    const frame = mustTake(slot);
    t.equal(frame.bytes.length, length);
    t.ok(frame.bytes.every((byte) => byte === 9));
    t.ok(frame.bytes.buffer.byteLength <= 4 * length + 65_536, 'no huge buffer is kept');
    slot.release(frame);
  }
  t.end();
});

t.test('frames whose bytes do not fit are refused and change nothing', (t) => {
  const slot = clockedSlot();
  const wrong: CapturedFrame[] = [
    { ...gray(1), bytes: new Uint8Array(23) },
    { ...gray(1), bytes: new Uint8Array(25) },
    { ...gray(1), width: 0, bytes: new Uint8Array(0) },
    { ...gray(1), width: 1.5 },
    { ...gray(1), width: -4, height: -2 },
    { ...gray(1), width: Number.NaN },
    { ...gray(1), width: 100_000, height: 1, bytes: new Uint8Array(300_000) },
    { ...gray(1), format: 'yuv420p' },
    jpeg(0),
    { ...jpeg(1), bytes: new Uint8Array(MAX_FRAME_BYTES + 1) },
  ];
  for (const captured of wrong) {
    t.throws(() => slot.put(captured), { code: 'MND_FRAME_INVALID', message: /camera front/ });
  }
  t.equal(slot.take(), null);
  t.same(slot.stats(), { delivered: 0, skipped: 0, taken: 0, dropped: 0 });
  t.end();
});

t.test('the length of planar frames rounds chroma up', (t) => {
  t.equal(frameLength('yuv420p', 640, 480), 460_800);
  t.equal(frameLength('yuv420p', 5, 3), 15 + 2 * 6);
  t.equal(frameLength('rgb24', 5, 3), 45);
  t.equal(frameLength('jpeg', 0, 0), null);
  t.end();
});

t.test('a closed slot is silent', (t) => {
  const slot = clockedSlot(() => t.fail('called after close'));
  slot.close();
  slot.put(gray(1));
  t.equal(slot.take(), null);
  t.end();
});

t.test('a frame that is not worth looking at is counted and not copied', (t) => {
  const slot = createSlot({
    camera: 'front',
    clock: { now: () => 5, wall: () => 0 },
    accept: ({ bytes }, now) => now === 5 && bytes[0] !== 1,
    onAvailable: () => {},
  });
  for (const value of [1, 2, 1]) slot.put(gray(value));
  t.match(slot.take(), { sequence: 2 });
  t.equal(slot.take(), null);
  t.same(slot.stats(), { delivered: 3, skipped: 2, taken: 1, dropped: 0 });
  t.end();
});

t.test('a frame in which nothing has moved says so', (t) => {
  const slot = createSlot({
    camera: 'front',
    accept: ({ bytes }) => (bytes[0] === 1 ? 'unmoved' : true),
  });
  slot.put(gray(1));
  t.match(slot.take(), { unmoved: true });
  slot.put(gray(2));
  t.notHas(slot.take(), { unmoved: true });
  t.end();
});
