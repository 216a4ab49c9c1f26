import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { runChild } from '#mobilenetd/models/install/child.js';
import { PATIENCE_MS } from '../../eventually.js';
import { scratchFolder } from '../../scratch-folder.js';

const MAIN = pathToFileURL('dist/models/install/child-main.js').href;
const ERRORS = pathToFileURL('dist/errors.js').href;

/** Runs a script whose `work(request)` has this body. */
async function run<Answer>(
  body: string,
  options: { request?: unknown; timeout?: number; signal?: AbortSignal } = {},
): Promise<Answer> {
  const dir = scratchFolder('child');
  const file = join(dir, 'script.mjs');
  await writeFile(
    file,
    `import { answerParent } from '${MAIN}';
     import { codedError } from '${ERRORS}';
     answerParent('MND_MODEL_VERIFY', async (request) => { ${body} });`,
  );
  return runChild<Answer>({
    script: pathToFileURL(file),
    request: options.request ?? null,
    code: 'MND_MODEL_VERIFY',
    subject: 'the model',
    timeout: options.timeout ?? PATIENCE_MS,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
}

t.test('an answer', async (t) => {
  const answer = await run('return { twice: request.value * 2, bytes: request.bytes };', {
    request: { value: 21, bytes: Uint8Array.of(1, 2) },
  });
  t.strictSame(answer, { twice: 42, bytes: Uint8Array.of(1, 2) });
});

t.test('a request that is still made while the process starts', async (t) => {
  const late = (async () => 21)();
  t.equal(await run('return request * 2;', { request: late }), 42);
  const failed = new Promise((_, reject) => setTimeout(() => reject(new Error('no request')), 300));
  await t.rejects(run('return 1;', { request: failed }), { message: 'no request' });
  const slow = new Promise((resolve) => setTimeout(resolve, 500));
  await t.rejects(run('return 1;} ); process.exit(3); (() => {', { request: slow }), {
    message: /ended with status 3/,
  });
});

t.test('errors keep their code, or get the one for crashes', async (t) => {
  const coded = "throw codedError('MND_MODEL_OPERATOR', { expected: 'CONV_2D', found: 'FFT' });";
  await t.rejects(run(coded), {
    code: 'MND_MODEL_OPERATOR',
    message: /^the model: .*expected CONV_2D; found FFT/,
  });
  const own = "throw codedError('MND_MODEL_SHAPE', { subject: 'conv 3' });";
  await t.rejects(run(own), { code: 'MND_MODEL_SHAPE', message: /^conv 3: / });
  await t.rejects(run("throw new TypeError('oh');"), {
    code: 'MND_MODEL_VERIFY',
    message: /found oh/,
  });
});

t.test('a process that dies', async (t) => {
  for (const signal of ['SIGILL', 'SIGSEGV', 'SIGKILL', 'SIGABRT']) {
    await t.rejects(run(`process.kill(process.pid, '${signal}'); await new Promise(() => {});`), {
      code: 'MND_MODEL_VERIFY',
      message: new RegExp(`the model: .*its process ended with ${signal}`),
    });
  }
  await t.rejects(run('process.exit(3);'), { message: /ended with status 3/ });
  await t.rejects(
    run("setTimeout(() => { throw new RangeError('later'); }); await new Promise(() => {});"),
    {
      message: /ended with status 1 \(RangeError: later\)/,
    },
  );
});

t.test('a process that hangs, or is not wanted any more', async (t) => {
  await t.rejects(run('await new Promise(() => setInterval(() => {}, 1000));', { timeout: 300 }), {
    code: 'MND_MODEL_VERIFY',
    message: /no answer within/,
  });
  const controller = new AbortController();
  const reason = new Error('stop');
  const waiting = run('await new Promise(() => setInterval(() => {}, 1000));', {
    signal: controller.signal,
  });
  setImmediate(() => controller.abort(reason));
  await t.rejects(waiting, { message: 'stop' });
  await t.rejects(run('return 1;', { signal: controller.signal }), { message: 'stop' });
});
