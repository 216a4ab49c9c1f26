import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../free-port.js';

const PROGRAM = ['/usr/sbin/nginx', '/usr/bin/nginx'].find(existsSync);

/** Whether nginx is installed. */
export const HAS_NGINX = PROGRAM !== undefined;

/** A place below which nginx shows the page, and the headers it hands on besides. */
export interface Place {
  /** With a slash at both ends. */
  readonly prefix: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Runs nginx in front of the page, as docs/page.md says; returns its address and how to end it. */
export async function startNginx(
  target: string,
  places: readonly Place[],
): Promise<{ readonly url: string; readonly end: () => Promise<void> }> {
  if (PROGRAM === undefined) throw new Error('nginx is not installed');
  const folder = mkdtempSync(join(tmpdir(), 'mobilenetd-nginx-'));
  const port = await freePort();
  const file = join(folder, 'nginx.conf');
  writeFileSync(file, configOf(folder, port, target, places));
  const nginx = spawn(PROGRAM, ['-p', folder, '-c', file, '-g', 'daemon off;'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const url = `http://127.0.0.1:${port}`;
  while (!(await answers(url))) {
    if (nginx.exitCode !== null) throw new Error('nginx has ended');
    await delay(50);
  }
  return {
    url,
    async end() {
      nginx.kill('SIGTERM');
      if (nginx.exitCode === null) await once(nginx, 'exit');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function configOf(folder: string, port: number, target: string, places: readonly Place[]): string {
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${folder}/${name};`)
    .join('\n  ');
  const locations = places.map(({ prefix, headers }) => {
    const lines = Object.entries(headers).map(
      ([name, value]) => `proxy_set_header ${name} ${JSON.stringify(value)};`,
    );
    return `location ${prefix} {
      proxy_pass ${target};
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      ${lines.join('\n      ')}
    }`;
  });
  return `worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr warn;
events {}
http {
  access_log off;
  ${paths}
  server {
    listen 127.0.0.1:${port};
    ${locations.join('\n    ')}
  }
}
`;
}

async function answers(url: string): Promise<boolean> {
  return fetch(url).then(
    () => true,
    () => false,
  );
}
