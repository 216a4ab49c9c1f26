import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { eventually } from '../eventually.js';
import { broker, command, report } from '../integration/daemon-home.js';
import { preparePictures, runDaemon, writeConfig } from '../integration/daemon-process.js';
import { installRandomModel } from '../integration/demo-process.js';

t.setTimeout(600_000);

/** A small file system of its own; null where none can be mounted. */
function smallDisk(t: Test, megabytes: number): string | null {
  const folder = mkdtempSync(join(tmpdir(), 'mnd-'));
  try {
    const options = ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder];
    execFileSync('mount', options, { stdio: 'ignore' });
  } catch {
    rmdirSync(folder);
    return null;
  }
  t.teardown(() => {
    execFileSync('umount', ['-l', folder]);
    rmdirSync(folder);
  });
  return folder;
}

/** Takes all the room there is, while others write, too. */
function fill(file: string): void {
  for (const bytes of [1 << 20, 1 << 12]) {
    try {
      for (;;) appendFileSync(file, Buffer.alloc(bytes));
    } catch {
      // No more of that size.
    }
  }
}

t.test('a database that cannot be written is seen wherever one looks', async (t) => {
  const folder = smallDisk(t, 64);
  if (folder === null) return t.comment('no file system can be mounted here');
  await installRandomModel(folder);
  const pictures = await preparePictures(folder);
  const { url, listener } = await broker(t);
  const config = writeConfig(folder, {
    url,
    cameras: ['front'],
    pictures,
    more: { store: { detection_interval: 0, commit_interval: 0.5 } },
  });
  const daemon = runDaemon(folder, config);
  t.teardown(() => daemon.child.kill('SIGKILL'));
  t.ok(await listener.until('front/status', 'online'), daemon.log());
  const health = () => JSON.parse(listener.values.get('mobilenetd/board/health') ?? '{}');
  t.ok(await eventually(() => health().database_failing === false));

  const filler = join(folder, 'filler');
  fill(filler);
  t.ok(
    (await eventually(() => health().database_failing === true)) ||
      (await eventually(() => health().database_failing === true)),
    'health says so before its minute is over',
  );
  t.match(health(), { database_error: /full/, waiting_events: Number, dropped_detections: Number });
  const status = await command(folder, config, 'status');
  t.equal(status.status, 1);
  t.match(status.stdout, /^database +CANNOT be written since .*full/m);
  t.match((await report(folder)).running?.database, { writable: false, error: /full/ });
  const doctor = await command(folder, config, 'doctor');
  t.match(doctor.stdout, /the running daemon cannot write to it: .*full/);

  rmSync(filler);
  t.ok(
    (await eventually(() => health().database_failing === false)) ||
      (await eventually(() => health().database_failing === false)),
    daemon.log(),
  );
  t.match(health(), { database_error: null });
  t.match((await report(folder)).running?.database, { writable: true, error: null });
  t.equal((await daemon.end('SIGTERM')).code, 0, daemon.log());
});
