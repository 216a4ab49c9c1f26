/** What a rule has to tell: made when it fires, kept until every one of its channels has it. */
export interface Notice {
  readonly rule: string;
  /** When the rule fired, ms since 1970. */
  readonly time: number;
  /** `<base>/<node>` level of this board, and what people call it. */
  readonly node: string;
  readonly board: string;
  /** What people call the camera. */
  readonly cameraName: string;
  /** The event as `<camera>/events` has it. */
  readonly event: Readonly<Record<string, unknown>>;
  /** It was asked for with `mobilenetd notify --test`. */
  readonly test: boolean;
}

/** A notice with what its templates say of it. */
export interface Message {
  readonly notice: Notice;
  readonly title: string;
  readonly text: string;
  /** JPEG of the event; null: there is none, or the rule wants none. */
  readonly picture: Uint8Array | null;
  /** Where the picture lies; null as `picture`, and for one that lies nowhere. */
  readonly pictureFile: string | null;
}

/** The JSON that channels hand on: the event, and whose rule it met. */
export function documentOf({ notice, title, text }: Message): Record<string, unknown> {
  const { rule, node, board, cameraName, event, test, time } = notice;
  return {
    rule,
    title,
    message: text,
    node,
    board,
    camera_name: cameraName,
    time: new Date(time).toISOString(),
    test,
    ...event,
  };
}
