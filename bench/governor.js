// Holds the governor to its bars. Usage:
//   npm run bench:governor [-- --seeds 3 …]              simulated boards (governor-boards.js)
//   npm run bench:governor -- --families                 other programs, failing sensors (governor-families.js)
//   npm run bench:governor -- --random 500 [--seed 1 …]  random boards (governor-random.js)
//   npm run bench:governor -- --energy                   energy budgets (governor-energy.js)
//   npm run bench:governor -- --threads                  threads as a knob (governor-threads.js)
const kinds = {
  '--families': './governor-families.js',
  '--random': './governor-random.js',
  '--energy': './governor-energy.js',
  '--threads': './governor-threads.js',
};
const kind = Object.keys(kinds).find((flag) => process.argv.includes(flag));
await import(kinds[kind] ?? './governor-boards.js');
