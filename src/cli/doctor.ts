import type { Finding, Level } from '../doctor/finding.js';
import type { CommandContext, Register } from './command.js';
import { endWith, writeJsonLine, writeLine } from './output.js';
import { columnsOf, wrapText } from './text-width.js';

export const register: Register = (program, context) => {
  program
    .command('doctor')
    .summary('find out what this board has and lacks')
    .description(
      [
        'Looks at the system and at what a fresh one lacks, the configuration, the runtime (in a process of',
        'its own), model, cameras, heat and power, disk, broker, clock and permissions, and says what each',
        'finding means and what to do. Every configured camera is tried for one frame. Exits with 1 when',
        'something keeps the daemon from working. Secrets are masked.',
      ].join('\n'),
    )
    .option('--json', 'one finding a line: check, subject, level, found, means, next')
    .option('--no-cameras', 'leave the cameras alone, e.g. while the daemon has them')
    .action(async (flags: { readonly json?: boolean; readonly cameras: boolean }) => {
      const { loadConfig } = await import('../config/load.js');
      const { examine } = await import('../doctor/doctor.js');
      const { hasFailed } = await import('../doctor/finding.js');
      const show = flags.json ? printJson(context) : printText(context);
      const found = await examine({
        around: await surroundingsOf(context),
        loadConfig: () => loadConfig(context.configOptions()),
        ...(flags.cameras && { checkCameras: await cameraCheck(context) }),
        onFindings(found) {
          show(found);
          context.signal.throwIfAborted();
        },
      });
      if (!flags.json) writeLine(context.stdout, summary(found));
      if (hasFailed(found)) throw endWith(1);
    });
};

/** What the doctor looks at on this machine. */
export async function surroundingsOf(context: CommandContext) {
  const { realSurroundings } = await import('../doctor/surroundings.js');
  const { tryListen } = await import('../doctor/try-listen.js');
  const { fileURLToPath } = await import('node:url');
  const script = fileURLToPath(new URL('../doctor/self-test-child.js', import.meta.url));
  return realSurroundings({
    env: context.env,
    selfTest: [process.execPath, script],
    probeBroker: async (options) =>
      (await import('../mqtt/connection/probe.js')).probeBroker(options),
    tryListen,
  });
}

async function cameraCheck(context: CommandContext) {
  const { checkCameras } = await import('../doctor/camera.js');
  const { signal } = context;
  return (input: Parameters<typeof checkCameras>[0]) => checkCameras(input, { signal });
}

function printJson(context: CommandContext): (found: readonly Finding[]) => void {
  return (found) => {
    for (const finding of found) writeJsonLine(context.stdout, finding);
  };
}

const SIGNS: Readonly<Record<Level, string>> = {
  ok: 'ok  ',
  info: 'info',
  warn: 'WARN',
  fail: 'FAIL',
};

/** Below a sign stands what is said of a finding. */
const MARGIN = ' '.repeat(6);

function printText({ stdout }: CommandContext): (found: readonly Finding[]) => void {
  const columns = columnsOf(stdout);
  const write = (text: string) => {
    for (const line of wrapText(text, columns, MARGIN.length)) writeLine(stdout, line);
  };
  return (found) => {
    for (const { level, subject, found: text, means, next } of found) {
      const [first = '', ...rest] = text.split('\n');
      write(`${SIGNS[level]}  ${subject}: ${first}`);
      for (const line of rest) write(MARGIN + line);
      if (means !== null) write(`${MARGIN}${means}.`);
      if (next !== null) write(`${MARGIN}→ ${next}.`);
    }
  };
}

function summary(found: readonly Finding[]): string {
  const count = (level: Level) => found.filter((finding) => finding.level === level).length;
  const [failed, warned] = [count('fail'), count('warn')];
  if (failed === 0 && warned === 0) return '\nEverything is as it should be.';
  return `\n${failed} to repair, ${warned} to look at.`;
}
