import t from 'tap';
import {
  type FfmpegPicture,
  ffmpegArguments,
} from '#mobilenetd/camera/sources/ffmpeg/arguments.js';
import { type FfmpegInput, ffmpegStdin } from '#mobilenetd/camera/sources/ffmpeg/input.js';

const picture: FfmpegPicture = { size: [640, 480], fps: 10 };
const rtsp: FfmpegInput = { kind: 'rtsp', url: 'rtsp://cam/live' };

t.test('the output is always whole frames of one size, full range', (t) => {
  const inputs: FfmpegInput[] = [
    rtsp,
    { kind: 'v4l2', device: '/dev/video0', inputFormat: 'mjpeg' },
    { kind: 'video', path: 'party.mp4', loop: true },
    { kind: 'remote', url: 'https://example.org/a.mp4', loop: false },
  ];
  for (const input of inputs) {
    const args = ffmpegArguments(input, picture);
    t.match(
      args.join(' '),
      /-nostdin .* -vf select='[^']+',scale=640:480:\S+,format=yuv420p,pad=640:480:\S+ -fps_mode passthrough /,
    );
    t.match(args.join(' '), / -f yuv4mpegpipe -$/);
    const [whitelist] = args.filter((_, index) => args[index - 1] === '-protocol_whitelist');
    if (input.kind === 'video') t.equal(whitelist, 'file');
    else if (input.kind !== 'v4l2') t.notMatch(whitelist, /file/, 'a stream opens no files');
  }
  t.end();
});

t.test('options of the inputs', (t) => {
  const joined = (input: FfmpegInput, more: Partial<FfmpegPicture> = {}) =>
    ffmpegArguments(input, { ...picture, ...more }).join(' ');
  t.match(joined(rtsp), /-rtsp_transport tcp .*-i rtsp:\/\/cam\/live /);
  t.match(joined({ ...rtsp, transport: 'udp' }), /-rtsp_transport udp /);
  t.match(joined(rtsp, { hardware: 'v4l2m2m' }), /-c:v h264_v4l2m2m .*-i /);
  t.match(joined(rtsp, { hardware: 'drm' }), /-hwaccel drm .*-i /);
  t.match(
    joined({ kind: 'v4l2', device: '/dev/video0', inputFormat: 'mjpeg' }),
    /-f v4l2 -framerate 10 -video_size 640x480 -input_format mjpeg -i \/dev\/video0 /,
  );
  t.match(joined({ kind: 'video', path: 'a.mp4', loop: true }), /-stream_loop -1 -re .*-i file:\//);
  t.notMatch(joined({ kind: 'video', path: 'a.mp4', loop: false }), /stream_loop/);
  t.match(joined(rtsp, { fps: 1 / 3 }), /\*0\.3333\)/);
  t.end();
});

t.test('what is out of range or could be an option is refused', (t) => {
  const bad: [FfmpegInput, Partial<FfmpegPicture>?][] = [
    [{ kind: 'rtsp', url: '-f' }],
    [{ kind: 'rtsp', url: 'http://cam/' }],
    [{ kind: 'remote', url: 'file:///etc/passwd', loop: false }],
    [{ kind: 'remote', url: 'concat:a|b', loop: false }],
    [{ kind: 'v4l2', device: '-i' }],
    [{ kind: 'v4l2', device: '/etc/passwd' }],
    [{ kind: 'v4l2', device: '/dev/../etc/passwd' }],
    [{ kind: 'v4l2', device: '/dev/video0', inputFormat: 'x -y' as 'mjpeg' }],
    [rtsp, { size: [641, 480] }],
    [rtsp, { size: [0, 480] }],
    [rtsp, { size: [640, 1e9] }],
    [rtsp, { fps: 0 }],
    [rtsp, { fps: Number.NaN }],
    [rtsp, { rotation: 45 as 90 }],
    [rtsp, { hardware: 'constructor' as 'none' }],
  ];
  for (const [input, more] of bad) {
    t.throws(() => ffmpegArguments(input, { ...picture, ...more }), { code: 'MND_CONFIG_INVALID' });
  }
  t.end();
});

t.test('a refused address is not repeated in the error', (t) => {
  try {
    ffmpegArguments({ kind: 'rtsp', url: 'ftp://user:Sesam12@cam/' }, picture);
    t.fail('was accepted');
  } catch (error) {
    t.notMatch(String(error), /Sesam12/);
  }
  t.end();
});

t.test('what an address holds of credentials goes in by stdin', async (t) => {
  const picture = { size: [64, 48], fps: 5 } as const;
  for (const [input, options] of [
    [
      { kind: 'rtsp', url: "rtsp://me:it's%20Sesam12@cam/s" },
      ['rtsp_transport tcp', 'probesize 32'],
    ],
    [{ kind: 'rtsp', url: 'rtsp://cam/s?token=Sesam12' }, ['rtsp_transport tcp', 'probesize 32']],
    [{ kind: 'rtsp', url: 'rtsps://cam:7441/AbSesam12CdEf?enableSrtp' }, []],
    [{ kind: 'remote', url: 'https://me:Sesam12@cam/film.mp4', loop: true }, []],
    [{ kind: 'rtsp', url: 'rtsp://cam/s', username: 'me', password: 'Sesam12' }, []],
  ] as const) {
    const args = ffmpegArguments(input, picture).join(' ');
    t.notMatch(args, /Sesam12|me:/);
    t.match(
      args,
      /-protocol_whitelist pipe,.* -format_whitelist concat,.* -f concat -safe 0 -i pipe:0/,
    );
    const [header, file, ...rest] = ffmpegStdin(input)?.trimEnd().split('\n') ?? [];
    t.equal(header, 'ffconcat version 1.0');
    const login = 'password' in input ? 'me:Sesam12@' : '';
    t.equal(file, `file '${input.url.replace("'", '%27').replace('//', `//${login}`)}'`);
    t.equal(rest.length, input.kind === 'rtsp' ? 3 : options.length);
    for (const option of options) t.ok(rest.some((line) => line.startsWith(`option ${option}`)));
  }
  t.equal(ffmpegStdin({ kind: 'rtsp', url: 'rtsp://cam/s' }), null);
  const url = 'http://127.0.0.1:40000/550e8400-e29b-41d4-a716-446655440000/film.ts';
  const gateway = { kind: 'remote', url, loop: false, isGateway: true } as const;
  t.equal(ffmpegStdin(gateway), null, 'a way of our own is no secret of the camera');
  t.ok(ffmpegArguments(gateway, picture).includes(url));
  t.match(
    ffmpegArguments({ kind: 'rtsp', url: 'rtsp://cam/s' }, picture).join(' '),
    '-i rtsp://cam/s',
  );
  t.equal(ffmpegStdin({ kind: 'video', path: 'a', loop: false }), null);
});
