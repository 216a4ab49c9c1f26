import { appendFileSync } from 'node:fs';
import t from 'tap';
import { eventually } from '../eventually.js';
import { broker, command, home, report } from '../integration/daemon-home.js';
import { runDaemon, writeConfig } from '../integration/daemon-process.js';

t.setTimeout(600_000);

t.test('what is set at run time is seen everywhere, and can be cleared', async (t) => {
  const { folder, pictures } = await home(t);
  const { url, listener } = await broker(t);
  const parts = { url, cameras: ['front', 'back'], pictures };
  const config = writeConfig(folder, parts);
  let daemon = runDaemon(folder, config);
  t.teardown(() => daemon.child.kill('SIGKILL'));
  t.ok(await listener.until('back/status', 'online'), daemon.log());
  t.same((await report(folder)).running?.overrides, []);
  t.match(await command(folder, config, 'ctl', 'reset'), {
    status: 0,
    stdout: 'nothing was set\n',
  });

  await listener.say('front/threshold/set', '0.95');
  await listener.say('back/detect/set', 'OFF');
  await listener.say('governor/pin/set', 'random_v1');
  t.ok(await listener.until('governor/pin/state', 'random_v1'));
  const set = [
    { key: 'detect/back', value: 'OFF', configured: 'ON' },
    { key: 'pin', value: 'random_v1', configured: 'auto' },
    { key: 'threshold/front', value: '0.95', configured: '0.3' },
  ];
  t.same((await report(folder)).running?.overrides, set);
  const { stdout: status } = await command(folder, config, 'status');
  t.match(status, /^set +threshold\/front is 0\.95, the file says 0\.3$/m);
  t.match(status, /^set +detect\/back is OFF, the file says ON$/m);
  const shown = await command(folder, config, 'config');
  t.match(shown.stdout, /^# set at run time .*: pin is random_v1, the file says auto$/m);
  const json = JSON.parse((await command(folder, config, 'config', '--json')).stdout);
  t.same(json.overrides, set);
  const doctor = await command(folder, config, 'doctor');
  t.match(doctor.stdout, /threshold\/front is 0\.95/);

  t.equal((await daemon.end('SIGTERM')).code, 0);
  daemon = runDaemon(folder, config);
  t.ok(await listener.until('front/status', 'online'), daemon.log());
  t.match(daemon.log(), /set at run time: .*threshold\/front is 0\.95, the file says 0\.3/);
  t.equal(listener.values.get('mobilenetd/board/front/threshold/state'), '0.95');

  await listener.say('front/threshold/set', 'auto');
  t.ok(await listener.until('front/threshold/state', '0.3'));
  await listener.say('back/detect/set', 'auto');
  t.ok(await listener.until('back/status', 'online'));
  t.same(
    (await report(folder)).running?.overrides.map(({ key }) => key),
    ['pin'],
  );

  // A file that is just being edited does not hide the daemon.
  appendFileSync(config, 'node: "twice\n');
  t.match(await command(folder, config, 'ctl', 'reset', 'pn'), {
    status: 1,
    stderr: /did you mean pin\?/,
  });
  t.match(await command(folder, config, 'ctl', 'reset', 'pin'), {
    status: 0,
    stdout: 'as the file says: pin\n',
  });
  t.ok(await listener.until('governor/pin/state', 'auto'));
  t.same((await report(folder)).running?.overrides, []);
  t.match(await command(folder, config, 'status'), { status: 0, stdout: /^camera front/m });
  t.equal((await daemon.end('SIGTERM')).code, 0, daemon.log());
});

t.test('labels that cannot be are named in the log, and have no topics', async (t) => {
  const { folder, pictures } = await home(t);
  const { url, listener } = await broker(t);
  const more = {
    homeassistant: { labels: ['right', 'rigth'] },
  };
  const config = writeConfig(folder, { url, cameras: ['front'], pictures, more });
  const labels = 'labels: [left, midle, right]';
  const text = (await import('node:fs')).readFileSync(config, 'utf8');
  (await import('node:fs')).writeFileSync(config, text.replace('fps: 10', `fps: 10, ${labels}`));
  const daemon = runDaemon(folder, config);
  t.teardown(() => daemon.child.kill('SIGKILL'));
  t.ok(await listener.until('front/status', 'online'), daemon.log());
  t.match(daemon.log(), /cameras\.front\.labels: \\"midle\\" is no label .*did you mean middle\?/);
  t.match(daemon.log(), /homeassistant\.labels: \\"rigth\\" is no label .*did you mean right\?/);
  t.ok(await eventually(() => listener.values.has('mobilenetd/board/front/left')));
  t.notOk(listener.values.has('mobilenetd/board/front/midle'));
  t.equal((await daemon.end('SIGTERM')).code, 0, daemon.log());
});
