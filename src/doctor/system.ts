import { boardOf } from '../config/read/board.js';
import { readBoardModel, unsupportedPlatform } from '../platform.js';
import { type Finding, findings } from './finding.js';
import { type CheckInput, readText } from './surroundings.js';

const { ok, info, warn, fail } = findings('system');

const LEAST_NODE = [20, 9] as const;
/** Where Debian and Raspberry Pi OS stand: 12 brings Node 18, 13 brings Node 20. */
const NODE_HELP =
  'Debian 13 (trixie) has Node 20: sudo apt install nodejs; on Debian 12 (bookworm) take it from https://deb.nodesource.com';
/** Resident memory of the daemon with the default detector, MB, and what the system needs besides. */
const COMFORTABLE_MB = 450;
const LEAST_MB = 250;

/** Operating system, architecture, board, Node and memory. */
export async function checkSystem({ around }: CheckInput): Promise<Finding[]> {
  return [
    architecture(around.platform),
    await operatingSystem(around.etc),
    board(around.proc),
    node(around.nodeVersion),
    await memory(around.proc),
  ];
}

function architecture(platform: CheckInput['around']['platform']): Finding {
  const refused = unsupportedPlatform(platform);
  if (refused === null) {
    return ok('architecture', `${platform.machine}, Node for ${platform.arch}`);
  }
  return fail('architecture', refused.detail.found ?? platform.arch, {
    means: 'onnxruntime, which runs the network, has no binaries for it',
    ...(refused.detail.next !== undefined && { next: refused.detail.next }),
  });
}

async function operatingSystem(etc: string): Promise<Finding> {
  const text = await readText(etc, 'os-release');
  const name = /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(text)?.[1];
  if (name === undefined) return info('system', 'no /etc/os-release');
  const version = Number(/^VERSION_ID="?(\d+)/m.exec(text)?.[1]);
  const debian = /^(ID|ID_LIKE)=.*(debian|raspbian)/m.test(text);
  const ubuntu = /^ID=ubuntu/m.test(text);
  if (debian && !ubuntu && version < 12) {
    return warn('system', name, {
      means: 'the camera programs and the C library of this release are older than what was tried',
      next: 'use Raspberry Pi OS or Debian 12 (bookworm) or later',
    });
  }
  return ok('system', name);
}

function board(proc: string): Finding {
  const model = readBoardModel(proc);
  if (model === null) return info('board', 'no device tree: not a board but a computer');
  const overlay = boardOf(model);
  return overlay === null
    ? info('board', model, { means: 'it has no overlay; the general defaults hold' })
    : ok('board', model, { means: `its defaults are in config/${overlay}.yaml` });
}

function node(version: string): Finding {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  const [leastMajor, leastMinor] = LEAST_NODE;
  const enough = major > leastMajor || (major === leastMajor && minor >= leastMinor);
  if (enough) return ok('Node', version);
  return fail('Node', `${version}, where ${leastMajor}.${leastMinor} or later is needed`, {
    next: NODE_HELP,
  });
}

async function memory(proc: string): Promise<Finding> {
  const text = await readText(proc, 'meminfo');
  const total = megabytes(text, 'MemTotal');
  const available = megabytes(text, 'MemAvailable');
  if (total === null || available === null) return info('memory', 'not known');
  const found = `${available} of ${total} MB free`;
  if (available >= COMFORTABLE_MB) return ok('memory', found);
  const means =
    'the daemon takes about 200 MB with the default detector, more while it converts one';
  const next =
    'end what else runs (a desktop?), or convert the model on another machine and copy the models folder';
  if (available < LEAST_MB) return warn('memory', found, { means, next });
  return info('memory', found, { means });
}

function megabytes(text: string, name: string): number | null {
  const kilobytes = new RegExp(`^${name}:\\s*(\\d+) kB`, 'm').exec(text)?.[1];
  return kilobytes === undefined ? null : Math.round((Number(kilobytes) * 1024) / 1e6);
}
