import t from 'tap';
import type { CapturedFrame } from '#mobilenetd/camera/source.js';
import type { FfmpegInput } from '#mobilenetd/camera/sources/ffmpeg/input.js';
import { createFfmpegSource } from '#mobilenetd/camera/sources/ffmpeg/source.js';
import { skipWithoutFfmpeg as skip } from '../../ffmpeg.js';
import { encodeStream, startRtspCamera } from '../../rtsp-camera.js';

/** What the camera shows, as rgb. */
const COLOUR = [200, 50, 20] as const;

async function take(input: FfmpegInput, until: number) {
  const ending = new AbortController();
  const frames: CapturedFrame[] = [];
  const source = createFfmpegSource({ input, size: [160, 120], fps: 10 });
  const error = await source.run(ending.signal, (frame) => {
    if (frames.length === until) return;
    frames.push({ ...frame, bytes: frame.bytes.slice() });
    if (frames.length === until) ending.abort();
  });
  return { frames, error };
}

/** True when the middle of the frame has the colour, within `levels`. */
function showsColour({ width, height, bytes }: CapturedFrame, levels: number): boolean {
  const luma = bytes[(height / 2) * width + width / 2] ?? 0;
  const chroma = ((height / 4) * width) / 2 + width / 4;
  const cb = (bytes[width * height + chroma] ?? 0) - 128;
  const cr = (bytes[width * height * 1.25 + chroma] ?? 0) - 128;
  const rgb = [luma + 1.402 * cr, luma - 0.344136 * cb - 0.714136 * cr, luma + 1.772 * cb];
  return rgb.every((value, index) => Math.abs(value - (COLOUR[index] ?? 0)) <= levels);
}

t.test('RTSP', { skip }, async (t) => {
  const hex = COLOUR.map((value) => value.toString(16).padStart(2, '0')).join('');
  const stream = encodeStream(`color=c=0x${hex}:s=160x120`, 6, [
    ...['-vf', 'scale=out_color_matrix=bt601:out_range=limited,format=yuv420p'],
    ...['-c:v', 'mpeg2video', '-q:v', '1', '-g', '5', '-colorspace', 'smpte170m'],
  ]);
  const camera = await startRtspCamera(stream, 3);
  t.teardown(() => camera.unplug());
  const { frames, error } = await take({ kind: 'rtsp', url: camera.url() }, 5);
  t.equal(frames.length, 5, String(error));
  t.ok(frames.every((frame) => showsColour(frame, 3)));
  t.match(error, { code: 'MND_CAMERA_STOPPED' });
});
