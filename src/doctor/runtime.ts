import { type Finding, findings } from './finding.js';
import type { CheckInput, ProgramEnd } from './surroundings.js';

const { ok, info, fail } = findings('runtime');

const TIMEOUT_MS = 60_000;

/**
 * Loads onnxruntime and runs a small quantized network in a child process: an instruction that this
 * processor does not have kills the child, and is told as a sentence.
 */
export async function checkRuntime({ around }: CheckInput): Promise<Finding[]> {
  const [file = '', ...args] = around.selfTest;
  const end = await around.runProgram(file, args, TIMEOUT_MS);
  if (end.status === 0) return [ok('onnxruntime', end.stdout.trim() || 'loads and runs')];
  if (end.error === 'ENOENT') return [info('onnxruntime', 'the self-test cannot be started')];
  return [fail('onnxruntime', ...sentence(end))];
}

function sentence(end: ProgramEnd): [string, { means?: string; next?: string }] {
  if (end.signal === 'SIGILL') {
    return [
      'it uses an instruction that this processor does not have (SIGILL)',
      {
        means: 'the daemon would die at its first frame',
        next: 'Raspberry Pi 3 or later is needed; if this is one, please report it with the output of `mobilenetd doctor --json`',
      },
    ];
  }
  if (end.error === 'ETIMEDOUT') {
    return [
      `the self-test did not end within ${TIMEOUT_MS / 1000} s`,
      { next: 'try it again on an idle board' },
    ];
  }
  if (end.signal === 'SIGKILL') {
    return [
      'the kernel ended the self-test (SIGKILL)',
      { means: 'most likely for want of memory', next: 'free some memory, or add swap' },
    ];
  }
  if (end.signal !== null) {
    return [
      `the self-test died of ${end.signal}`,
      { next: 'please report it with the output of `mobilenetd doctor --json`' },
    ];
  }
  return [
    `it does not load: ${lastLine(end.stderr)}`,
    {
      means: 'the package is incomplete or was installed for another architecture',
      next: 'install it again on this machine (npm ci, or the .deb of this architecture)',
    },
  ];
}

function lastLine(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => /^\w*Error\b/.test(line));
  return (lines[0] ?? stderr.trim().split('\n').at(-1) ?? '').trim().slice(0, 300);
}
