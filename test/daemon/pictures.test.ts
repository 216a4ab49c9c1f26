import sharp from 'sharp';
import t from 'tap';
import type { Frame } from '#mobilenetd/camera/source.js';
import { Pictures } from '#mobilenetd/daemon/pictures.js';
import { Signals } from '#mobilenetd/daemon/signals.js';
import type { Result } from '#mobilenetd/inference/result.js';
import { SILENT } from '#mobilenetd/log.js';
import { systemClock } from '#mobilenetd/time.js';

/** A frame of one grey. */
function frameOf(grey: number): Frame {
  return {
    camera: 'front',
    sequence: 1,
    capturedAt: 0,
    time: 0,
    width: 8,
    height: 8,
    format: 'rgb24',
    range: 'full',
    bytes: new Uint8Array(8 * 8 * 3).fill(grey),
  };
}

function setUp() {
  const signals = new Signals(SILENT);
  const pictures = new Pictures(signals, systemClock);
  const label = (grey: number) =>
    signals.emit('labelled', { result: {} as Result, frame: frameOf(grey) });
  const rebuild = () =>
    signals.emit('cameras', { cameras: [], added: [], removed: [], rebuilt: ['front'] });
  return { pictures, label, rebuild };
}

async function greyOf(jpeg: Uint8Array): Promise<number> {
  const { channels } = await sharp(jpeg).stats();
  return Math.round(channels[0]?.mean ?? -1);
}

t.test('a burst of requests is one picture, of the next frame', async (t) => {
  const { pictures, label } = setUp();
  label(10);
  const both = [pictures.next('front'), pictures.next('front')];
  t.equal(both[0], both[1]);
  label(200);
  label(90);
  t.equal(await greyOf((await (both[0] ?? Promise.reject())).jpeg), 200);
  await pictures.stop();
});

t.test('a picture of before a camera was built anew is never given out', async (t) => {
  const { pictures, label, rebuild } = setUp();
  const asked = pictures.next('front');
  label(10);
  // The mask has come while that was being encoded.
  rebuild();
  let settled = false;
  void asked.then(() => {
    settled = true;
  });
  await pictures.stop();
  await new Promise((resolve) => setImmediate(resolve));
  t.notOk(settled);

  const again = setUp();
  const picture = again.pictures.next('front');
  again.label(10);
  again.rebuild();
  await new Promise((resolve) => setTimeout(resolve, 100));
  again.label(220);
  t.equal(await greyOf((await picture).jpeg), 220, 'but one of after');
  await again.pictures.stop();
});
