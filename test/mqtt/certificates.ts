import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

export interface Certificates {
  readonly folder: string;
  read(name: string): Buffer;
}

/** Those of this process, by their host; they go when it ends. */
const made = new Map<string, Certificates>();
process.once('exit', () => {
  for (const { folder } of made.values()) rmSync(folder, { recursive: true, force: true });
});

/** A certificate authority of its own, a server of it, a client of it, and a stranger's client. */
export function makeCertificates(host = 'IP:127.0.0.1'): Certificates {
  const certificates = made.get(host) ?? createCertificates(host);
  made.set(host, certificates);
  return certificates;
}

function createCertificates(host: string): Certificates {
  const folder = mkdtempSync(join(tmpdir(), 'mobilenetd-tls-'));
  const run = (...args: string[]) =>
    execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'ignore', 'ignore'] });
  const authority = (name: string) =>
    run(
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
      ...['-keyout', `${name}.key`, '-out', `${name}.crt`, '-days', '2', '-subj', `/CN=${name}`],
    );
  const certificate = (name: string, issuer: string, host: string) => {
    run(
      ...['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
      ...['-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`],
    );
    writeFileSync(join(folder, `${name}.ext`), `subjectAltName=${host}\n`);
    run(
      ...['x509', '-req', '-in', `${name}.csr`, '-CA', `${issuer}.crt`, '-CAkey', `${issuer}.key`],
      ...['-CAcreateserial', '-days', '2', '-extfile', `${name}.ext`, '-out', `${name}.crt`],
    );
  };
  authority('ca');
  authority('stranger');
  certificate('server', 'ca', host);
  certificate('client', 'ca', 'DNS:client');
  certificate('impostor', 'stranger', 'DNS:client');
  return { folder, read: (name) => readFileSync(join(folder, name)) };
}
