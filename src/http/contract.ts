/** What the page and its API are told: plain data and a few functions, handed in by the daemon. */
export interface PageSource {
  state(): object;
  cameras(): readonly object[];
  /** What is on the newest labelled frame of each camera, and the number of that frame, which rises. */
  labels(): readonly NewestLabels[];
  governor(): object;
  models(): readonly object[];
  /** What `mobilenetd doctor` finds, cameras left alone. */
  doctor(): Promise<readonly object[]>;
  /** The configuration in force, secrets masked, with where each value came from. */
  config(): ConfigDocument;
  /** The newest lines of the log, masked, the oldest first. */
  logs(limit: number): readonly string[];
  history(range: HistoryRange): object;
  events(query: EventQuery): readonly object[];
  /** An event with the scores that were kept of it; null: there is none. */
  event(id: string): object | null;
  /** What was called a false alarm and is kept back, the oldest first. */
  spots(): readonly object[];
  /** What was taught on this board, how it fares, and what to do next. */
  taught(): object;
  /** A JPEG of an event; null: none was kept. */
  eventPicture(id: string, kind: PictureKind): Promise<Uint8Array | null>;
  /** Whether there is a camera of that name. */
  hasCamera(name: string): boolean;
  /** Why no picture can be expected of a camera; null: one can. */
  away(camera: string): string | null;
  /** A JPEG of the camera's next labelled frame; waits for as long as there is none. */
  nextPicture(camera: string): Promise<LivePicture>;
  /** Least time between two pictures of a camera that are coded for viewers, ms. */
  pictureIntervalMs(): number;
  /** Whether the daemon does what it is for, for `/healthz`. */
  isHealthy(): boolean;
  /** Calls the listener with what happens, until the returned function is called. */
  listen(listener: (happening: Happening) => void): () => void;
  readonly actions: PageActions;
}

export interface ConfigDocument {
  /** YAML that can be read back, secrets masked. */
  readonly yaml: string;
  readonly values: readonly {
    readonly key: string;
    readonly value: unknown;
    readonly origin: string;
  }[];
}

/** What can be asked of the daemon. Everything throws coded errors. */
export interface PageActions {
  setDetect(camera: string, on: boolean): Promise<void>;
  /** @param threshold 0 to 1; null: as the file says */
  setThreshold(camera: string, threshold: number | null): Promise<void>;
  snapshot(camera: string | null): Promise<void>;
  /** @param variant `auto` or a variant's name */
  setPin(variant: string): Promise<void>;
  setLimit(limit: 'auto' | number): Promise<void>;
  /** Resolves with what was done, in words. */
  reload(): Promise<string>;
  /** Every problem of a configuration that was pasted; it is written nowhere. */
  checkConfig(yaml: string): Promise<readonly string[]>;
  /** Keeps back what looks like an event in its place; resolves with the spot. */
  wrong(event: string): Promise<object>;
  /** Keeps nothing back at a spot any more. */
  undoWrong(spot: string): Promise<object>;
  /** Records pictures of a label, ends that, takes the last batch back, or forgets a label. */
  teach(order: TeachOrder): Promise<object>;
  /** Removes an event that is over from the database, with its picture. */
  forget(event: string): Promise<void>;
}

/** What is asked of teaching. */
export interface TeachOrder {
  readonly do: 'record' | 'end' | 'undo' | 'forget';
  readonly label?: string | null;
  readonly not?: boolean;
  readonly camera?: string | null;
  readonly zone?: string | null;
  readonly of?: readonly string[] | null;
  readonly seconds?: number;
  readonly id?: string;
}

export type HistoryRange = '1h' | '24h' | '7d';
export type PictureKind = 'picture' | 'thumb' | 'crop';

export interface LivePicture {
  readonly jpeg: Uint8Array;
  /** Of the frame, rising. */
  readonly sequence: number;
  /** Wall time of its capture, ms. */
  readonly time: number;
}

export interface EventQuery {
  readonly camera?: string;
  readonly label?: string;
  /** Milliseconds since the epoch. */
  readonly since?: number;
  readonly until?: number;
  readonly limit: number;
}

export interface NewestLabels {
  readonly camera: string;
  readonly sequence: number;
  readonly labels: readonly object[];
}

/** Something that viewers are told of at once; `event` is kept for those who reconnect. */
export interface Happening {
  readonly kind: 'event' | 'camera' | 'governor' | 'settings';
  readonly data: object;
}
