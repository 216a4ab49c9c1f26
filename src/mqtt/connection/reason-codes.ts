/** MQTT 5 reason code of a client whose id another client has connected with. */
export const TAKEN_OVER = 142;
/** Our own: no answer at all. */
export const UNANSWERED = 1000;
export const PACKET_TOO_LARGE = 149;
export const RETAIN_NOT_SUPPORTED = 154;
export const QOS_NOT_SUPPORTED = 155;

/** CONNACK codes of MQTT 3.1.1 (3.2.2.3) and reason codes of MQTT 5 (2.4) in words. */
const WORDS: Readonly<Record<number, string>> = {
  1: 'the broker does not speak this version of MQTT',
  2: 'the broker refuses the client id',
  3: 'the broker says it is unavailable',
  4: 'the broker refuses the user name or password',
  5: 'the broker refuses the user name or password',
  16: 'nobody listens to it',
  17: 'there was no such subscription',
  128: 'the broker refuses it without a reason',
  129: 'the broker cannot read a packet',
  130: 'the broker sees a breach of the protocol',
  131: 'the broker refuses it for a reason of its own',
  132: 'the broker does not speak this version of MQTT',
  133: 'the broker refuses the client id',
  134: 'the broker refuses the user name or password',
  135: 'not authorized: the rules of the broker do not allow it',
  136: 'the broker says it is unavailable',
  137: 'the broker is busy',
  138: 'the broker has banned this client',
  139: 'the broker is shutting down',
  140: 'the broker does not know this way of logging in',
  141: 'the broker waited too long for a sign of life',
  142: 'another client has connected with the same client id',
  143: 'the broker does not take this topic filter',
  144: 'the broker does not take this topic name',
  145: 'the broker still uses this packet identifier',
  146: 'the broker does not know this packet identifier',
  147: 'the broker got more at a time than it takes',
  148: 'the broker does not know this topic alias',
  149: 'it is too large for the broker',
  150: 'the broker gets messages too fast',
  151: 'a quota of the broker is used up',
  152: 'an administrator of the broker ended the connection',
  153: 'the broker does not take a payload of this form',
  154: 'the broker keeps no retained messages',
  155: 'the broker does not take this quality of service',
  156: 'the broker wants another server to be used for now',
  157: 'the broker has moved to another server',
  158: 'the broker has no shared subscriptions',
  159: 'the broker gets too many connections',
  160: 'the longest time that the broker allows a connection is over',
  161: 'the broker has no subscription identifiers',
  1000: 'the broker does not answer it',
  162: 'the broker has no subscriptions with wildcards',
};

/** About who we are. In a DISCONNECT, 135 is about what we did. */
const CREDENTIALS: ReadonlySet<number> = new Set([4, 5, 134, 135, 140]);
/** Ends of a connection that no message of ours has caused. */
const NOT_OURS: ReadonlySet<number> = new Set([
  136, 137, 138, 139, 141, 142, 152, 156, 157, 159, 160,
]);
/** What a broker will answer to the same message at any time. */
const FOR_GOOD: ReadonlySet<number> = new Set([144, 149, 153]);
/** Codes that the protocol foresees in a PUBACK (3.4.2.1); mqtt-packet can read no others. */
const PUBACK_CODES: ReadonlySet<number> = new Set([0, 16, 128, 131, 135, 144, 145, 151, 153]);

/** A reason code as a sentence fragment. */
export function describeCode(code: number): string {
  return WORDS[code] ?? `the broker's reason code ${code}`;
}

/** Whether a refused CONNECT is about user name or password. */
export function isAboutCredentials(code: unknown): code is number {
  return typeof code === 'number' && CREDENTIALS.has(code);
}

/** Whether a code explains the end of a connection by something else than what we sent. */
export function explainsLoss(code: unknown): boolean {
  return typeof code === 'number' && NOT_OURS.has(code);
}

/** Whether the broker would refuse the same message again at any time. */
export function isForGood(code: number): boolean {
  return FOR_GOOD.has(code);
}

export function isReadablePuback(code: number): boolean {
  return PUBACK_CODES.has(code) || code === UNANSWERED;
}

/** The code of an error or reason, of whatever type; undefined without one. */
export function codeOf(reason: unknown): unknown {
  return typeof reason === 'object' && reason !== null && 'code' in reason
    ? reason.code
    : undefined;
}
