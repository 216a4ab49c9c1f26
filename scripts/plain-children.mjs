// Loaded into every test process by tap (see .taprc): programs that tests start run as users run them.
// Tap would load its bookkeeping into each of them, which takes half a second of CPU a program. Their lines
// do not count as covered.
import processOnSpawn from 'process-on-spawn';

processOnSpawn.removeAllListeners();
