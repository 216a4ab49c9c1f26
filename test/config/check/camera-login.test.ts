import t from 'tap';
import { isConfigError } from '#mobilenetd/config/check/problem.js';
import { redactConfig, secretsOf } from '#mobilenetd/config/check/secrets.js';
import { loadConfig } from '#mobilenetd/config/load.js';

const PASSWORD = 'p@ss#w/ord?1';

function load(camera: object, files: Readonly<Record<string, string>> = {}, env = {}) {
  const text = JSON.stringify({ cameras: { door: camera } });
  const readFile = (file: string): Buffer => {
    if (file === '/c.yaml') return Buffer.from(text);
    const content = files[file];
    if (content === undefined) throw Object.assign(new Error('none'), { code: 'ENOENT' });
    return Buffer.from(content);
  };
  return loadConfig({ files: ['/c.yaml'], env, readFile, boardModel: null });
}

const RTSP = { source: 'rtsp', url: 'rtsp://192.0.2.1/' };

t.test('the password comes from its key, a file or a credential of systemd', (t) => {
  for (const source of ['rtsp', 'mjpeg', 'snapshot', 'video']) {
    const url = source === 'mjpeg' || source === 'snapshot' ? 'http://192.0.2.1/' : RTSP.url;
    const camera = { source, url, username: 'me' };
    for (const [more, files, env] of [
      [{ password: PASSWORD }, {}, {}],
      [{ password_file: '/run/secret' }, { '/run/secret': `${PASSWORD}\n` }, {}],
      [{}, { '/cred/camera_door_password': PASSWORD }, { CREDENTIALS_DIRECTORY: '/cred' }],
    ] as const) {
      const { config } = load({ ...camera, ...more }, files, env);
      t.equal(config.cameras.door?.password, PASSWORD, source);
      t.notMatch(JSON.stringify(redactConfig(config)), PASSWORD);
      t.ok(secretsOf(config).includes(PASSWORD));
    }
  }
  t.end();
});

t.test('what is given twice, is missing or has no use is a problem', (t) => {
  for (const [camera, message] of [
    [{ ...RTSP, username: 'me', password_file: '/none' }, /password_file.*cannot be read/],
    [{ ...RTSP, password: 'x' }, /a password needs/],
    [{ ...RTSP, username: 'a', password: 'x', password_file: '/f' }, /given twice/],
    [{ ...RTSP, url: 'rtsp://me:pw@192.0.2.1/', username: 'me' }, /user name is given twice/],
    [{ ...RTSP, url: 'rtsp://me:pw@192.0.2.1/', password: 'x' }, /password is given twice/],
    [{ source: 'libcamera', username: 'me' }, /libcamera has no username/],
  ] as const) {
    try {
      load(camera, { '/f': 'x' });
      t.fail(JSON.stringify(camera));
    } catch (error) {
      t.ok(isConfigError(error), JSON.stringify(camera));
      t.match(String(error), message);
    }
  }
  t.end();
});
