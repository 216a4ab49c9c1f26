import { createHash, randomBytes } from 'node:crypto';

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** One way a server offers to log in (RFC 9110, 11.3): its scheme, lower case, and parameters. */
export interface Challenge {
  readonly scheme: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** `Digest realm="cam", nonce="1", Basic realm="cam"` → both challenges. */
export function parseChallenges(header: string): Challenge[] {
  const challenges: { scheme: string; parameters: Map<string, string> }[] = [];
  const part = /([A-Za-z][\w-]*)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+)))?[\s,]*/y;
  for (let match = part.exec(header); match !== null; match = part.exec(header)) {
    const [, name = '', quoted, bare] = match;
    const value = quoted?.replace(/\\(.)/g, '$1') ?? bare;
    if (value === undefined) {
      challenges.push({ scheme: name.toLowerCase(), parameters: new Map() });
    } else {
      challenges.at(-1)?.parameters.set(name.toLowerCase(), value);
    }
  }
  return challenges;
}

/** Digest algorithms (RFC 7616, 3.3) by Node's name of the hash, the strongest first. */
const HASHES: readonly (readonly [algorithm: string, hash: string])[] = [
  ['SHA-256', 'sha256'],
  ['MD5', 'md5'],
];

/** Answers a server's challenges for one address after the other. */
export interface Login {
  /** The `Authorization` header of the next request; null while the server has not asked. */
  header(method: string, target: string): string | null;
  /** Takes what a 401 offers; false when none of it can be answered, or the answer was wrong. */
  challenge(header: string | undefined): boolean;
}

/**
 * Basic (RFC 7617) and Digest (RFC 7616: MD5 and SHA-256, their `-sess` forms, `qop` auth or none).
 * Nothing is sent before the server asks; then its last nonce is used on, with a count.
 *
 * @param random bytes of a client nonce
 */
export function createLogin(
  credentials: Credentials | null,
  random: () => string = () => randomBytes(8).toString('hex'),
): Login {
  let answer: ((method: string, target: string) => string) | null = null;
  let nonce: string | null = null;
  return {
    header: (method, target) => answer?.(method, target) ?? null,
    challenge(header) {
      if (credentials === null) return false;
      const offers = parseChallenges(header ?? 'Basic realm=""');
      const digest = bestDigest(offers);
      if (digest !== null) {
        const fresh = digest.parameters.get('nonce') ?? '';
        const stale = digest.parameters.get('stale')?.toLowerCase() === 'true';
        // A server that asks again with the same nonce has found the answer wrong.
        if (answer !== null && !stale && fresh === nonce) return false;
        const tried = answer !== null && nonce !== null && !stale;
        nonce = fresh;
        answer = digestAnswer(digest, credentials, random);
        return !tried;
      }
      if (answer !== null || !offers.some(({ scheme }) => scheme === 'basic')) return false;
      const { username, password } = credentials;
      const token = Buffer.from(`${username}:${password}`).toString('base64');
      answer = () => `Basic ${token}`;
      return true;
    },
  };
}

function bestDigest(offers: readonly Challenge[]): Challenge | null {
  const digests = offers.filter(({ scheme }) => scheme === 'digest');
  for (const [algorithm] of HASHES) {
    const found = digests.find((offer) => algorithmOf(offer).replace(/-SESS$/, '') === algorithm);
    if (found !== undefined) return found;
  }
  return null;
}

function algorithmOf({ parameters }: Challenge): string {
  return (parameters.get('algorithm') ?? 'MD5').toUpperCase();
}

function digestAnswer(
  challenge: Challenge,
  { username, password }: Credentials,
  random: () => string,
): (method: string, target: string) => string {
  const { parameters } = challenge;
  const algorithm = algorithmOf(challenge);
  const [, hashName = 'md5'] =
    HASHES.find(([name]) => algorithm.replace(/-SESS$/, '') === name) ?? [];
  const hash = (text: string): string => createHash(hashName).update(text).digest('hex');
  const realm = parameters.get('realm') ?? '';
  const nonce = parameters.get('nonce') ?? '';
  const opaque = parameters.get('opaque');
  const hasQop = (parameters.get('qop') ?? '').split(/\s*,\s*/).includes('auth');
  let count = 0;
  return (method, target) => {
    count += 1;
    const nc = count.toString(16).padStart(8, '0');
    const cnonce = random();
    const own = hash(`${username}:${realm}:${password}`);
    const key = algorithm.endsWith('-SESS') ? hash(`${own}:${nonce}:${cnonce}`) : own;
    const request = hash(`${method}:${target}`);
    const middle = hasQop ? `${nonce}:${nc}:${cnonce}:auth` : nonce;
    const fields = [
      `username=${quote(username)}`,
      `realm=${quote(realm)}`,
      `nonce=${quote(nonce)}`,
      `uri=${quote(target)}`,
      `response="${hash(`${key}:${middle}:${request}`)}"`,
      ...(parameters.has('algorithm') ? [`algorithm=${parameters.get('algorithm')}`] : []),
      ...(opaque === undefined ? [] : [`opaque=${quote(opaque)}`]),
      ...(hasQop ? ['qop=auth', `nc=${nc}`] : []),
      ...(hasQop || algorithm.endsWith('-SESS') ? [`cnonce="${cnonce}"`] : []),
    ];
    return `Digest ${fields.join(', ')}`;
  };
}

function quote(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
