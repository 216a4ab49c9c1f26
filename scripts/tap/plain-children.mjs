// Loaded into every test process after tap's own preload (see .taprc): programs that tests start run as users
// run them. With coverage, tap would load its bookkeeping into each of them, which takes half a second of CPU
// a program. Their lines do not count as covered.
if (process.env._TAPJS_PROCESSINFO_COVERAGE_ === '1') {
  const { default: processOnSpawn } = await import('process-on-spawn');
  processOnSpawn.removeAllListeners();
}
