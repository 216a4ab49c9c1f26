import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Test } from 'tap';
import { eventually } from '../eventually.js';
import { home } from '../integration/daemon-home.js';
import { mosquittoPassword, runMosquitto } from '../mqtt/brokers.js';

/** What a page says by way of example, and what stands there in a test. */
export type Replacements = readonly (readonly [example: string, here: string])[];

/** A device that is there, for one that is not. */
export const DEVICE: Replacements = [
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
  const program = `'${process.execPath}' '${resolve('dist/cli/main.js')}'`;
  const own = `--config ${folder}/etc/config.yaml`;
  const files = `${own} --config ${folder}/overlay.yaml`;
  // A socket that is not there needs no program that looks for it.
  const answers = `[ -S ${folder}/control.sock ] && ${program} ${files} status >/dev/null 2>&1`;
  const reloads = `grep -cE 'configuration (read again|stays)' ${folder}/log`;
  const scripts: Record<string, string> = {
    sudo: 'while [ "$1" = -u ]; do shift 2; done; exec "$@"',
    sudoedit: `cat > "$1" <<'END'\n${config}END`,
    apt: 'test "$1" = install',
    chown: 'test -e "$2"',
    ls: 'echo usb-camera-video-index0',
    'v4l2-ctl': 'echo "[0]: \'MJPG\' (Motion-JPEG, compressed)"',
    'rpicam-hello': 'echo "0 : imx708 [4608x2592 10-bit RGGB] (/base/soc/i2c0mux/i2c@1/imx708@1a)"',
    'rpicam-vid': `exec '${process.execPath}' '${resolve('test/fixtures/fake-rpicam-vid.mjs')}' "$@"`,
    // The model is there already; a stand-in for a camera is no device that `doctor` could find.
    mobilenetd: `case "$1 $2" in 'models pull') exit 0;; esac
      case "$1" in
        doctor) ${program} ${files} doctor || true; exit 0;;
        # It writes one file; the overlay is this test's.
        setup) exec ${program} ${own} "$@";;
      esac
      exec ${program} ${files} "$@"`,
    systemctl: `case "$1 $2" in
      *mobilenetd-look.timer) exit 0;;
      'start mobilenetd-look.service') $(sed -n 's|^ExecStart=/usr/bin/||p' ${folder}/etc/systemd/mobilenetd-look.service); [ $? = 0 ] || [ $? = 3 ]; exit;;
    esac
    stop() { [ -e ${folder}/pid ] || return 0; kill $(cat ${folder}/pid); while kill -0 $(cat ${folder}/pid) 2>/dev/null; do sleep 0.1; done; rm ${folder}/pid; }
    case "$1" in
      cat) echo "ExecStart=/usr/bin/mobilenetd ${own} run";;
      daemon-reload) ;;
      disable) stop;;
      start|restart) stop
        ${program} ${files} run 2>>${folder}/log >/dev/null </dev/null & echo $! >${folder}/pid
        for i in $(seq 600); do ${answers} && exit 0; kill -0 $(cat ${folder}/pid) || exit 1; sleep 0.2; done; exit 1;;
      # As systemd: it returns when the reload has been made; here whoever reads the status next finds its cameras, too.
      reload) before=$(${reloads}); kill -HUP $(cat ${folder}/pid)
        for i in $(seq 600); do [ $(${reloads}) -gt $before ] && ${answers} && exit 0; sleep 0.2; done; exit 1;;
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

export interface Page {
  /** Below `docs/`. */
  readonly name: string;
  readonly replacements: Replacements;
  /** The cameras of its configuration, which see the labels of the test's model. */
  readonly cameras: readonly string[];
}

/** Runs the commands of a page one after the other, as its reader would; the first failure ends it. */
export async function followPage(t: Test, { name, replacements, cameras }: Page) {
  const { folder } = await home(t);
  mkdirSync(join(folder, 'etc/systemd'), { recursive: true });
  const passwords = join(folder, 'passwords');
  writeFileSync(passwords, mosquittoPassword({ name: 'porch', password: 'secret' }));
  const access = replacements.some(([example]) => example === '-u porch')
    ? `password_file ${passwords}`
    : '';
  const anonymous = `allow_anonymous ${access === ''}`;
  const broker = await runMosquitto(`listener 1883\n${anonymous}\n${access}\n`, folder);
  t.teardown(() => broker.stop());
  const places: Replacements = [
    ['-h 192.0.2.1 ', `-h 127.0.0.1 -p ${broker.port} `],
    ['mqtt://192.0.2.1\n', `mqtt://127.0.0.1:${broker.port}\n`],
    ['mqtt://192.0.2.1 ', `mqtt://127.0.0.1:${broker.port} `],
    ['/etc/mobilenetd', `${folder}/etc`],
    ['/etc/systemd/system', `${folder}/etc/systemd`],
    ['/var/lib/mobilenetd', folder],
  ];
  const { commands, config } = readPage(name, [...places, ...replacements]);
  // What the package puts there.
  const template = readFileSync('config/service.yaml', 'utf8');
  const packaged = template.replace('/var/lib/mobilenetd', folder);
  writeFileSync(join(folder, 'etc/config.yaml'), packaged);
  const seen = cameras.map((camera) => `${camera}: { labels: [left, middle, right] }`);
  writeFileSync(
    join(folder, 'overlay.yaml'),
    `model: { task: classify, name: random_v1 }\npresence: { enter: 0.3, stay: 0.2 }\nstatus: { listen: null }\nmqtt: { embedded: { listen: "127.0.0.1:0" } }\ncameras: { ${seen.join(', ')} }\n`,
  );
  const bin = standIns(folder, config);
  const script = join(folder, 'page.sh');
  writeFileSync(script, `set -e -o pipefail\nset -v\ncd ${folder}\n${commands}`);
  const env = {
    PATH: `${bin}:${process.env.PATH}`,
    REAL_PATH: process.env.PATH,
    HOME: folder,
    TMPDIR: folder,
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
  return { told, log, folder };
}
