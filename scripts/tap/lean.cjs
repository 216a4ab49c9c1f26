// Loaded into every test process, and into each thread of it, before tap's own preload (see .taprc).
//
// Tap keeps a record there of what files were read and which programs were started: half a second of CPU a
// test file, for nothing but coverage. So it is kept only when coverage is asked for.
//
// A thread with an environment of its own does not see tap's "no": it would write coverage of its few lines,
// and the whole run would fail for the floor.
'use strict';
const { env } = process;

if (env._TAPJS_PROCESSINFO_COVERAGE_ !== '1') {
  env._TAPJS_PROCESSINFO_COVERAGE_ = '0';
  globalThis[Symbol.for('@tapjs/processinfo.ProcessInfoNodeData')] = { files: [] };
  require('node:module').register = () => {};
}
