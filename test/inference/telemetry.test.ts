import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { classifierVariant } from './tiny-models.js';

const folder = await mkdtemp(join(tmpdir(), 'mobilenetd-telemetry-'));
t.teardown(() => rm(folder, { recursive: true }));

/** Runs a module in a process with an empty home and nothing else that could silence reports. */
async function homeAfter(name: string, script: string): Promise<string[]> {
  const home = await mkdtemp(join(folder, name));
  const file = join(folder, `${name}.mjs`);
  await writeFile(file, script);
  await promisify(execFile)(process.execPath, [file], {
    env: { PATH: process.env.PATH, HOME: home },
  });
  return readdir(home, { recursive: true });
}

t.test('onnxruntime leaves no trace in the home directory', async (t) => {
  const variant = JSON.stringify(await classifierVariant(folder, 'quiet'));
  const engine = import.meta.resolve('#mobilenetd/inference/engine.js');
  const files = await homeAfter(
    'engine',
    `import { startEngine } from ${JSON.stringify(engine)};
     const engine = await startEngine({ threads: 1 });
     await engine.load(${variant});
     await engine.close();`,
  );
  t.same(files, []);
});

t.test('it would leave one by itself', async (t) => {
  const { file } = await classifierVariant(folder, 'loud');
  const runtime = import.meta.resolve('onnxruntime-node');
  const files = await homeAfter(
    'bare',
    `import { InferenceSession } from ${JSON.stringify(runtime)};
     await InferenceSession.create(${JSON.stringify(file)});`,
  );
  if (files.length === 0) t.comment('this build of onnxruntime keeps no records');
  else t.match(files.join(), /onnxruntime/);
});
