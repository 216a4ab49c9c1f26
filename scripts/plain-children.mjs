// Loaded into every test process by tap (see .taprc): programs that tests start run as users run them.
// Tap would load its bookkeeping into each of them, for coverage alone, which takes half a second of CPU a program.
import processOnSpawn from 'process-on-spawn';

if (process.env._TAPJS_PROCESSINFO_COVERAGE_ === '0') processOnSpawn.removeAllListeners();
