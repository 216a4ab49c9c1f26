/** Where the installation of a model stands. */
export interface InstallProgress {
  readonly model: string;
  readonly stage: 'download' | 'unpack' | 'convert' | 'verify';
  /** Bytes, while downloading; `total` is null while it is not known. */
  readonly received?: number;
  readonly total?: number | null;
}

export type OnProgress = (progress: InstallProgress) => void;

/** What the shelf has to tell an operator; a pino logger fits. */
export interface ShelfLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export const SILENT_LOG: ShelfLog = { info: () => undefined, warn: () => undefined };
