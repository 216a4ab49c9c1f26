/** The API's answers, as api/v1/openapi.json has them. */
export type Box = readonly [x: number, y: number, width: number, height: number];

export interface LabelOnPicture {
  readonly label: string;
  readonly score: number;
  readonly box: Box | null;
}

export interface PresentLabel extends LabelOnPicture {
  readonly since: string;
}

export interface Area {
  readonly kind: 'mask' | 'zone' | 'crop';
  readonly name: string;
  readonly title: string;
  /** Pixels of the frame. */
  readonly points: readonly (readonly [number, number])[];
}

export interface Camera {
  readonly name: string;
  readonly title: string;
  readonly status: 'online' | 'offline' | 'ended' | 'disabled';
  readonly reason: string | null;
  readonly fps: number;
  readonly age_ms: number | null;
  readonly detect: boolean;
  readonly threshold: number;
  readonly size: readonly [number, number] | null;
  readonly areas: readonly Area[];
  readonly present: readonly PresentLabel[];
  readonly labels: readonly LabelOnPicture[];
  readonly notices: readonly Notice[];
}

/** What a camera's source refused or found odd, and how often. */
export interface Notice {
  readonly kind: 'refused' | 'old' | 'flood' | 'overrun';
  readonly count: number;
  readonly last: string;
  readonly message: string;
}

export interface Mix {
  readonly low: string;
  readonly high: string;
  /** Of the frames that go to `high`. */
  readonly fraction: number;
}

export interface GovernorState {
  readonly model: string | null;
  readonly mix: Mix;
  readonly fps: number | null;
  readonly temperature: number | null;
  readonly target: number | null;
  readonly limit: number | null;
  readonly headroom: number | null;
  readonly budget: number | null;
  readonly mode: string;
  readonly simulated: string | null;
  readonly reason: string;
}

export interface State {
  readonly time: string;
  readonly version: string;
  readonly node: string;
  readonly uptime_s: number;
  readonly phase: 'starting' | 'running' | 'changing' | 'stopping';
  /** What takes its time, e.g. how far a network has been fetched. */
  readonly doing: string | null;
  /** What runs and was found, and what was not. */
  readonly found: readonly string[];
  readonly rss_mb: number;
  readonly fps: number;
  readonly latency_ms: number | null;
  readonly temperature: number | null;
  readonly throttled: boolean | null;
  readonly undervoltage: boolean | null;
  readonly model: { readonly name: string; readonly form: string };
  readonly governor: GovernorState | null;
  readonly broker: {
    readonly url: string;
    readonly embedded: boolean;
    readonly connected: boolean;
    /** Why there is no connection; null: not known yet, or there is one. */
    readonly fault: string | null;
    readonly delivery: {
      readonly held: readonly TopicNote[];
      readonly left_out: readonly TopicNote[];
      readonly limits: readonly string[];
    };
  };
  readonly outbox: number;
  readonly dropped_messages: number;
  readonly store: {
    readonly writable: boolean;
    readonly error: string | null;
    readonly waiting: number;
    readonly size_mb: number;
    readonly free_mb: number | null;
  };
  readonly viewers: number;
  /** What was set at run time and stands before what the file says. */
  readonly overrides: readonly {
    readonly key: string;
    readonly value: string;
    readonly configured: string | null;
  }[];
  /** How each channel of each rule fares. */
  readonly notify: readonly {
    readonly rule: string;
    readonly channel: string;
    readonly error: string | null;
    readonly since: string | null;
  }[];
  readonly settings: {
    readonly pin: string;
    readonly pinnable: readonly string[];
    readonly limit: number | null;
  };
  readonly cameras: readonly Camera[];
}

/** A topic that the broker does not take, and why. */
export interface TopicNote {
  readonly topic: string;
  readonly reason: string;
}

export interface EventRow {
  readonly id: string;
  readonly camera: string;
  readonly label: string;
  readonly score: number;
  readonly start: string;
  readonly end: string | null;
  readonly model: string;
  readonly alpha: number | null;
  readonly size: number;
  readonly count: number;
  readonly box: Box | null;
  /** The object it is of; null where the network draws no boxes. */
  readonly object: string | null;
  /** Whether it has stood still for a while. */
  readonly stationary: boolean;
  /** Zones it has been in, in order; those in which it stays long. */
  readonly zones: readonly string[];
  readonly loitering: readonly string[];
  readonly sub_label: string | null;
  readonly sub_score: number | null;
  readonly picture: boolean;
}

/** A false alarm that is kept back. */
export interface Spot {
  readonly id: string;
  readonly camera: string;
  readonly label: string;
  /** The event that was wrong. */
  readonly event: string;
  readonly created: string;
  readonly held: number;
}

export interface EventDocument {
  readonly event: EventRow;
  readonly scores: readonly {
    readonly time: string;
    readonly score: number;
    readonly box: Box | null;
  }[];
}

export interface Rung {
  readonly name: string;
  readonly alpha: number | null;
  readonly size: number;
  readonly cost_ms: number | null;
  readonly accuracy: number | null;
  readonly share: number;
}

export interface Governor {
  readonly state: GovernorState | null;
  readonly ladder: readonly Rung[];
  /** Of the next minutes, °C; empty where nothing is known. */
  readonly forecast: readonly ForecastPoint[];
}

export interface ForecastPoint {
  /** Seconds from now. */
  readonly s: number;
  readonly low: number;
  readonly expected: number;
  readonly high: number;
}

export interface HistoryPoint {
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly temperature: number | null;
  readonly limit: number | null;
  readonly target: number | null;
  readonly budget: number | null;
  readonly fps: number | null;
  readonly low: string;
  readonly high: string;
  readonly fraction: number;
}

export interface Model {
  readonly name: string;
  readonly family: string;
  readonly task: string;
  readonly alpha: number | null;
  readonly size: number;
  readonly form: string;
  readonly cost_ms: number | null;
  readonly accuracy: number | null;
  readonly runs: boolean;
}

export interface Finding {
  readonly check: string;
  readonly subject: string;
  readonly level: 'ok' | 'info' | 'warn' | 'fail';
  readonly found: string;
  readonly means: string | null;
  readonly next: string | null;
}

export interface ConfigDocument {
  readonly yaml: string;
  readonly values: readonly {
    readonly key: string;
    readonly value: unknown;
    readonly origin: string;
  }[];
}

export interface Session {
  readonly user: string | null;
  readonly role: 'view' | 'admin' | null;
  readonly login: boolean;
}

/** Pictures that are being taken for teaching. */
export interface Recording {
  readonly id: string;
  readonly state: 'recording' | 'done' | 'failed';
  readonly offered: number;
  readonly kept: number;
  readonly same: number;
  /** Seconds since a frame of the camera came. */
  readonly idle_s: number;
  readonly error: string | null;
  /** Of all pictures of the task, while more are added; null before anything is known. */
  readonly figures: TaughtTask['figures'];
  readonly advice: TaughtTask['advice'];
}

/** What was taught of one place. */
export interface TaughtTask {
  readonly task: string;
  readonly text: string;
  readonly labels: Readonly<Record<string, number>>;
  readonly others: number;
  readonly state: 'learning' | 'works' | 'fails';
  readonly ready: number;
  readonly networks: number;
  readonly error: string | null;
  readonly figures: {
    readonly labels: readonly { readonly label: string; readonly recall: number | null }[];
  } | null;
  readonly advice: readonly { readonly code: string; readonly text: string }[];
}

export interface Taught {
  readonly tasks: readonly TaughtTask[];
  readonly unusable: readonly {
    readonly label: string;
    readonly task: string;
    readonly why: string;
  }[];
  readonly recordings: readonly Recording[];
  readonly error: string | null;
}
