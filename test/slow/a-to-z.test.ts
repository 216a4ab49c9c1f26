import t from 'tap';
import { skipWithoutFfmpeg } from '../camera/ffmpeg.js';
import { encodeStream, startRtspCamera } from '../camera/rtsp-camera.js';
import { mosquitto } from '../mqtt/brokers.js';
import { DEVICE, followPage, type Replacements } from './follow-page.js';

const skip = skipWithoutFfmpeg || (mosquitto.available ? false : 'mosquitto is not installed');
t.setTimeout(600_000);

t.test('a USB camera from A to Z', { skip }, async (t) => {
  const { told } = await followPage(t, {
    name: 'usb-camera.md',
    replacements: DEVICE,
    cameras: ['front'],
  });
  t.match(told, /mobilenetd\/porch\/front\/label /);
  t.match(told, /front .*(left|middle|right)/);
});

t.test('an RTSP camera from A to Z', { skip }, async (t) => {
  const stream = encodeStream('testsrc2=s=160x120', 120, [
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-g', '10'],
    ...['-pix_fmt', 'yuv420p', '-b:v', '200k'],
  ]);
  const camera = await startRtspCamera(stream, 120);
  t.teardown(() => camera.unplug());
  const path = '192.0.2.7:554/Streaming/Channels/102';
  const { told, log } = await followPage(t, {
    name: 'network-camera.md',
    replacements: [
      [`rtsp://viewer:secret@${path}`, camera.url('viewer:secret@')],
      [`rtsp://${path}`, camera.url()],
    ],
    cameras: ['drive'],
  });
  t.match(told, /codec_name=h264/);
  t.match(told, /mobilenetd\/porch\/drive\/label /);
  t.notMatch(log, 'secret');
});

t.test('Home Assistant from A to Z', { skip }, async (t) => {
  const login: Replacements = [
    ...DEVICE,
    ['-u porch', '-u porch'],
    ['porch/front/person', 'porch/front/label'],
  ];
  const { told } = await followPage(t, {
    name: 'home-assistant-setup.md',
    replacements: login,
    cameras: ['front'],
  });
  t.match(told, /"name":"Front porch"/);
  t.match(told, /mobilenetd\/porch\/front\/label /);
});
