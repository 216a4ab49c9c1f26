import { parentPort, workerData } from 'node:worker_threads';
import { problemsOf } from './pasted.js';

/** Checks what pasted.ts hands over, and ends. */
parentPort?.postMessage(problemsOf(String(workerData)));
