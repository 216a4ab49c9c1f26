import type { Asker } from './asker.js';
import { lookOnce } from './look-once.js';
import { yesOrNo } from './question.js';
import { awaitLabel, putInForce, runnerOf, type StartOptions } from './start.js';

export interface InForceOptions extends StartOptions {
  readonly asker: Asker;
  readonly tell: (fact: object) => void;
  readonly env: NodeJS.ProcessEnv;
  readonly file: string;
  /** Whether it is the file that the service reads. */
  readonly isSystem: boolean;
}

/** Has a written file take effect, and shows the first label. */
export async function bringInForce(options: InForceOptions): Promise<void> {
  const { asker, file, isSystem, tell, say } = options;
  const runner = await runnerOf(isSystem, file, options);
  if (runner === null) return lookWithoutDaemon(options);
  const text =
    runner === 'service' ? 'Restart the service now' : 'Have the running daemon read it now';
  if (!(await asker.ask(yesOrNo('restart', text, true)))) {
    tell({ step: 'restart', runner, restarted: false });
    say(
      `  It takes effect with: ${runner === 'service' ? 'sudo systemctl restart mobilenetd' : 'mobilenetd ctl reload'}`,
    );
    return;
  }
  await putInForce(runner, options);
  say('  Waiting for the first label (Ctrl-C ends the waiting) …');
  const { ready, seen } = await awaitLabel(options);
  tell({ step: 'restart', runner, restarted: true, ready, seen });
  if (seen.length > 0) say(`  It sees ${seen.join('; ')}.`);
  else if (ready) say('  It looks, and nothing that it watches for is there now.');
  else say('  There is no label yet: mobilenetd status and mobilenetd doctor say why.');
}

async function lookWithoutDaemon(options: InForceOptions): Promise<void> {
  const { asker, file, env, say, tell, signal } = options;
  const run = `mobilenetd run --config ${file}`;
  if (!(await asker.ask(yesOrNo('look', 'No daemon runs. Look through the camera once', true)))) {
    say(`  Start it with: ${run}`);
    return;
  }
  const { status, seen } = await lookOnce(file, env, say, signal);
  const labels = Object.entries(seen).map(([label, count]) => `${count} ${label}`);
  tell({ step: 'look', status, seen });
  say(
    labels.length > 0 ? `  It saw ${labels.join(', ')}.` : '  It saw nothing that it watches for.',
  );
  say(`  Start it with: ${run}`);
}
