import { openShelf } from '#mobilenetd/models/shelf.js';

// Pulls a model and kills itself without notice at the given step.
const [dir = '', catalogFile = '', fatal = ''] = process.argv.slice(2);
const shelf = openShelf({
  dir,
  catalogFile,
  mirror: null,
  env: {},
  onStep: (step) => {
    if (step === fatal) process.kill(process.pid, 'SIGKILL');
  },
});
await shelf.pull(['tiny'], { forms: ['symmetric'] });
