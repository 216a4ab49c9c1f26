// Holds the governor to its bars. Usage:
//   npm run bench:governor [-- --seeds 3 …]              simulated boards (governor-boards.js)
//   npm run bench:governor -- --random 500 [--seed 1 …]  random boards (governor-random.js)
await import(process.argv.includes('--random') ? './governor-random.js' : './governor-boards.js');
