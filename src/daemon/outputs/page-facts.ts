import { statfsSync } from 'node:fs';
import type { Context } from '../context.js';
import { lastingReport } from './status.js';

/** How long what changes slowly is not read again, ms: each read asks the system or the database. */
const KEPT_MS = 5000;

type Using = Pick<
  Context,
  'clock' | 'store' | 'overrides' | 'notifications' | 'inspection' | 'config'
>;

interface Facts {
  readonly report: object;
  readonly storeMb: number;
  /** Room on the disk of the state folder; null: not known. */
  readonly freeMb: number | null;
}

/** What of the state changes slowly: memory, the database, what was set and found. */
export class PageFacts {
  readonly #using: Using;
  #read: { readonly at: number; readonly facts: Facts } | null = null;

  constructor(using: Using) {
    this.#using = using;
  }

  read(): Facts {
    const now = this.#using.clock.now();
    if (this.#read === null || now - this.#read.at >= KEPT_MS) {
      this.#read = { at: now, facts: this.#facts() };
    }
    return this.#read.facts;
  }

  /** The value has changed: it is read anew when somebody asks. */
  forget(): void {
    this.#read = null;
  }

  #facts(): Facts {
    const rss_mb = megabytes(process.memoryUsage.rss());
    return {
      report: { ...lastingReport(this.#using), rss_mb },
      storeMb: megabytes(this.#using.store.sizeBytes()),
      freeMb: freeMb(this.#using.config.state_dir),
    };
  }
}

function freeMb(folder: string): number | null {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return megabytes(bavail * bsize);
  } catch {
    return null;
  }
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1e5) / 10;
}
