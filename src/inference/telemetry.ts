/**
 * onnxruntime reports usage unless this is set before its addon is loaded, and the addon reads the
 * environment of the process: a worker thread's `process.env` is a copy that it never sees. Both
 * sides import this module before anything else, the main thread before it starts the worker.
 */
process.env.ORT_DISABLE_TELEMETRY = '1';
