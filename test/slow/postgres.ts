import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const BASE = '/usr/lib/postgresql';

/** Folder of PostgreSQL's programs, of the newest version that is installed; null: none is. */
export const postgresPrograms: string | null = existsSync(BASE)
  ? (readdirSync(BASE)
      .sort((a, b) => Number(b) - Number(a))
      .map((version) => join(BASE, version, 'bin'))
      .find((folder) => existsSync(join(folder, 'initdb'))) ?? null)
  : null;

export interface Postgres {
  /** Where it is, for whatever speaks to PostgreSQL. */
  readonly environment: Readonly<Record<string, string>>;
  /** What `psql` is told, and what it prints: a line a row, fields separated by "|". */
  query(sql: string): Promise<string>;
  stop(): Promise<void>;
}

/** It refuses to run as root. */
function asPostgres(): { readonly uid?: number; readonly gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

/** A server of its own in a new folder, reached by a socket in it. */
export async function startPostgres(): Promise<Postgres> {
  if (postgresPrograms === null) throw new Error('PostgreSQL is not installed');
  const folder = mkdtempSync(join(tmpdir(), 'mnd-pg-'));
  const user = asPostgres();
  if (user.uid !== undefined) chownSync(folder, user.uid, user.gid ?? user.uid);
  chmodSync(folder, 0o755);
  const data = join(folder, 'data');
  const options = { ...user, cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] as const };
  execFileSync(
    join(postgresPrograms, 'initdb'),
    ['-D', data, '-U', 'sink', '-A', 'trust', '--no-sync'],
    { ...options, stdio: ['ignore', 'ignore', 'inherit'] },
  );
  const child: ChildProcess = spawn(
    join(postgresPrograms, 'postgres'),
    ['-D', data, '-k', folder, '-h', '', '-c', 'fsync=off', '-c', 'shared_buffers=16MB'],
    { ...options, stdio: 'ignore' },
  );
  const kill = () => void child.kill('SIGKILL');
  process.once('exit', kill);
  const environment = { PGHOST: folder, PGUSER: 'sink', PGDATABASE: 'postgres' };
  const query = async (sql: string) => {
    const env = { PATH: process.env.PATH, ...environment };
    const flags = ['-X', '-A', '-t', '-q', '-v', 'ON_ERROR_STOP=1', '-c', sql];
    return (await run('psql', flags, { env })).stdout.trim();
  };
  for (let ready = false; !ready; await delay(100)) {
    if (child.exitCode !== null) throw new Error('PostgreSQL has ended');
    ready = await query('SELECT 1').then(
      () => true,
      () => false,
    );
  }
  return {
    environment,
    query,
    async stop() {
      const exited = once(child, 'exit');
      // At once, whoever is connected.
      child.kill('SIGQUIT');
      await exited;
      process.off('exit', kill);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
