import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import t, { type Test } from 'tap';
import { skipWithoutFfmpeg } from '../camera/ffmpeg.js';
import { encodeStream, startRtspCamera } from '../camera/rtsp-camera.js';
import { home } from '../integration/daemon-home.js';
import { eventually } from '../integration/daemon-process.js';
import { mosquitto, mosquittoPassword, runMosquitto } from '../mqtt/brokers.js';

const skip = skipWithoutFfmpeg || (mosquitto.available ? false : 'mosquitto is not installed');
t.setTimeout(230_000);

/** What a page says by way of example, and what stands there in this test. */
type Replacements = readonly (readonly [example: string, here: string])[];

/** A device that is there, for one that is not. */
const DEVICE: Replacements = [
  ['/dev/v4l/by-id/usb-046d_HD_Pro_Webcam_C920-video-index0', '/dev/null'],
  ['/dev/video0', '/dev/null'],
];

/** The commands of a page in their order, and the files that it shows. */
function readPage(name: string, replacements: Replacements) {
  let text = readFileSync(`docs/${name}`, 'utf8');
  for (const [example, here] of replacements) text = text.replaceAll(example, here);
  const blocks = (language: string) =>
    [...text.matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(
      ([, block]) => block ?? '',
    );
  const [config] = blocks('yaml').filter((block) => block.split('\n')[0]?.endsWith('config.yaml'));
  return { commands: blocks('sh').join(''), config: config ?? '' };
}

/** Programs that a page calls and that are not to do here what they do on a board. */
function standIns(folder: string, config: string): string {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  const node = `exec '${process.execPath}' '${resolve('dist/cli/main.js')}'`;
  const files = `--config ${folder}/etc/config.yaml --config ${folder}/overlay.yaml`;
  const scripts: Record<string, string> = {
    sudo: 'while [ "$1" = -u ]; do shift 2; done; exec "$@"',
    sudoedit: `cat > "$1" <<'END'\n${config}END`,
    apt: 'test "$1" = install',
    chown: 'test -e "$2"',
    ls: 'echo usb-camera-video-index0',
    'v4l2-ctl': 'echo "[0]: \'MJPG\' (Motion-JPEG, compressed)"',
    // The model is there already; a stand-in for a camera is no device that `doctor` could find.
    mobilenetd: `case "$1 $2" in 'models pull') exit 0;; esac\nif [ "$1" = doctor ]; then ${node.slice(5)} ${files} doctor || true; exit 0; fi\n${node} ${files} "$@"`,
    systemctl: `case "$1" in
      start) ${node.slice(5)} ${files} run 2>${folder}/log >/dev/null & echo $! >${folder}/pid
        for i in $(seq 600); do mosquitto_sub -p "$MOSQUITTO_PORT" $MOSQUITTO_LOGIN -C 1 -W 1 -t '+/+/state' 2>/dev/null | grep -q online && exit 0; kill -0 $(cat ${folder}/pid) || exit 1; done; exit 1;;
      reload) kill -HUP $(cat ${folder}/pid);;
    esac`,
    // The one thing that is not real: pixels of a device that is not here.
    ffmpeg: `args=()
      while [ $# -gt 0 ]; do
        if [ "$1" = -f ] && [ "$2" = v4l2 ]; then args+=(-re -f lavfi); shift 2
        elif [ "$1" = -input_format ] || [ "$1" = -framerate ] || [ "$1" = -video_size ]; then shift 2
        elif [ "$1" = -i ] && [[ "$2" = /dev/* ]]; then args+=(-i testsrc2=s=320x240:r=10); shift 2
        else args+=("$1"); shift; fi
      done
      exec /usr/bin/env PATH="$REAL_PATH" ffmpeg "\${args[@]}"`,
  };
  for (const [name, script] of Object.entries(scripts)) {
    writeFileSync(join(bin, name), `#!/bin/bash\n${script}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  return bin;
}

/** Runs the commands of a page one after the other, as its reader would; the first failure ends it. */
async function follow(t: Test, name: string, more: Replacements, camera: string) {
  const { folder } = await home(t);
  mkdirSync(join(folder, 'etc'));
  const passwords = join(folder, 'passwords');
  writeFileSync(passwords, mosquittoPassword({ name: 'porch', password: 'secret' }));
  const access = more.some(([example]) => example === '-u porch')
    ? `password_file ${passwords}`
    : '';
  const anonymous = `allow_anonymous ${access === ''}`;
  const broker = await runMosquitto(`listener 1883\n${anonymous}\n${access}\n`, folder);
  t.teardown(() => broker.stop());
  const { commands, config } = readPage(name, [
    ['-h 192.0.2.1', `-h 127.0.0.1 -p ${broker.port}`],
    ['mqtt://192.0.2.1', `mqtt://127.0.0.1:${broker.port}`],
    ['/etc/mobilenetd', `${folder}/etc`],
    ['/var/lib/mobilenetd', folder],
    ...more,
  ]);
  writeFileSync(
    join(folder, 'overlay.yaml'),
    `model: { task: classify, name: random_v1 }\npresence: { enter: 0.3, stay: 0.2 }\nstatus: { listen: null }\ncameras: { ${camera}: { labels: [left, middle, right] } }\n`,
  );
  const bin = standIns(folder, config);
  const script = join(folder, 'page.sh');
  writeFileSync(script, `set -e -o pipefail\nset -v\n${commands}`);
  const env = {
    PATH: `${bin}:${process.env.PATH}`,
    REAL_PATH: process.env.PATH,
    HOME: folder,
    MOSQUITTO_PORT: String(broker.port),
    MOSQUITTO_LOGIN: access === '' ? '' : '-u porch -P secret',
  };
  const child = spawn('bash', [script], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let told = '';
  child.stdout.on('data', (chunk) => {
    told += chunk;
  });
  child.stderr.on('data', (chunk) => {
    told += chunk;
  });
  // The daemon holds neither pipe: the page ends with its last command.
  const [status] = await once(child, 'close');
  const written = (file: string) =>
    existsSync(join(folder, file)) ? readFileSync(join(folder, file), 'utf8') : '';
  const log = written('log');
  const pid = Number(written('pid'));
  if (pid > 0) {
    process.kill(pid, 'SIGTERM');
    t.ok(await eventually(() => !existsSync(`/proc/${pid}/exe`)), 'the daemon ends');
  }
  t.equal(status, 0, `every command succeeds\n${told}\n${log}`);
  t.notMatch(log, '"level":"error"', 'nothing that looks like a defect');
  return { told, log };
}

t.test('a USB camera from A to Z', { skip }, async (t) => {
  const { told } = await follow(t, 'usb-camera.md', DEVICE, 'front');
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
  const { told, log } = await follow(
    t,
    'network-camera.md',
    [
      [`rtsp://viewer:secret@${path}`, camera.url('viewer:secret@')],
      [`rtsp://${path}`, camera.url()],
    ],
    'drive',
  );
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
  const { told } = await follow(t, 'home-assistant-setup.md', login, 'front');
  t.match(told, /"name":"Front porch"/);
  t.match(told, /mobilenetd\/porch\/front\/label /);
});
