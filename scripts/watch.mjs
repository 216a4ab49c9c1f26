#!/usr/bin/env node
// Builds on every change, and runs one test file after each build that touches it.
// usage: npm run watch [-- test/mqtt/topics.test.ts [--inspect]]
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
process.chdir(root);
const flags = process.argv.slice(2);
const inspect = flags.includes('--inspect');
const [test] = flags.filter((flag) => !flag.startsWith('--'));
const compiled = test?.replace(/^(\.build\/)?test\//, '.build/test/').replace(/\.ts$/, '.js');

run('npm', ['run', '--silent', 'build:test'], () => {
  if (compiled !== undefined && !existsSync(compiled)) {
    process.stderr.write(`watch: ${test} is no test file (e.g. test/mqtt/topics.test.ts)\n`);
    process.exit(64);
  }
  // Each rebuilds its own half; a changed type of src/ reaches the tests through dist/*.d.ts.
  for (const project of ['tsconfig.json', 'test/tsconfig.json']) {
    run('node_modules/.bin/tsc', ['-p', project, '--watch', '--preserveWatchOutput']);
  }
  if (compiled !== undefined) {
    const debug = inspect ? ['--inspect'] : [];
    run(process.execPath, ['--watch', '--enable-source-maps', ...debug, compiled]);
  }
});

function run(program, args, then) {
  const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  child.on('exit', (status) => {
    if (then !== undefined && status === 0) then();
    else process.exit(status ?? 0);
  });
}
