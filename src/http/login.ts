import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../time.js';
import { networkOf } from './guard.js';

export type Role = 'view' | 'admin';

/** Who asks. */
export interface Visitor {
  readonly name: string;
  readonly role: Role;
  /** `open`: nobody has to say who he is at this address. */
  readonly by: 'open' | 'proxy' | 'session' | 'token';
}

/** Somebody who may see the page. */
export interface User {
  /** scrypt, as `mobilenetd config hash-password` writes it. */
  readonly password: string;
  readonly role: Role;
}

/** A program that may ask the API. */
export interface TokenUser {
  /** SHA-256 of the token, hexadecimal. */
  readonly sha256: string;
  readonly role: Role;
}

/** Resolves with whether a password has a hash. */
export type VerifyPassword = (password: Buffer, hash: string) => Promise<boolean>;

export interface LoginOptions {
  readonly users: Readonly<Record<string, User>>;
  readonly tokens: Readonly<Record<string, TokenUser>>;
  readonly verify: VerifyPassword;
  readonly clock: Clock;
}

export type LoginOutcome =
  | { readonly session: string; readonly visitor: Visitor }
  | { readonly refused: 'wrong' | 'too many'; readonly retryAfterS: number };

interface Session {
  readonly user: string;
  readonly role: Role;
  expires: number;
}

interface Failures {
  count: number;
  readonly since: number;
}

const SESSION_BYTES = 32;
const SESSION_MS = 7 * 86_400_000;
/** Of one user; the oldest is ended. */
const MAX_SESSIONS = 20;
const MAX_FAILURES = 5;
const FAILURES_MS = 60_000;
/** Addresses whose failures are counted; the oldest is forgotten. */
const MAX_ADDRESSES = 1000;
/** Attempts that may wait for the one password that is being hashed. */
const MAX_WAITING = 20;

/**
 * Who asks: sessions in cookies, tokens in headers. A wrong name takes as long as a wrong password, one
 * password is hashed at a time, and after five failures in a minute an address (of IPv6 a network of 64
 * bits) has to wait.
 */
export class Login {
  readonly #options: LoginOptions;
  readonly #secret = randomBytes(SESSION_BYTES);
  /** By the SHA-256 of the cookie: what is in memory opens nothing. */
  readonly #sessions = new Map<string, Session>();
  readonly #failures = new Map<string, Failures>();
  #hashing: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(options: LoginOptions) {
    this.#options = options;
  }

  get hasUsers(): boolean {
    return Object.keys(this.#options.users).length > 0;
  }

  async enter(name: string, password: string, from: string): Promise<LoginOutcome> {
    const address = networkOf(from);
    const wait = this.#retryAfterS(address);
    if (wait > 0 || this.#waiting >= MAX_WAITING) {
      return { refused: 'too many', retryAfterS: Math.max(1, wait) };
    }
    // Counted before the password is looked at: attempts at the same time are attempts, too.
    this.#countFailure(address);
    const user = Object.hasOwn(this.#options.users, name) ? this.#options.users[name] : undefined;
    const hash = user?.password ?? this.#hashFor(name);
    const isRight =
      hash !== undefined &&
      (await this.#inTurn(() => this.#options.verify(Buffer.from(password), hash)));
    if (!isRight || user === undefined) return { refused: 'wrong', retryAfterS: 0 };
    // Those of before stay: who has a password of his own would try another's as often as he likes.
    this.#uncountFailure(address);
    return {
      session: this.#begin(name, user.role),
      visitor: { name, role: user.role, by: 'session' },
    };
  }

  /** The visitor of a session's cookie; null: there is no such session. */
  ofSession(cookie: string): Visitor | null {
    const key = hashOf(cookie);
    const session = this.#sessions.get(key);
    const now = this.#options.clock.now();
    if (session === undefined) return null;
    // Somebody who was taken out of the configuration is out.
    const user = this.#options.users[session.user];
    if (session.expires < now || user === undefined) {
      this.#sessions.delete(key);
      return null;
    }
    session.expires = now + SESSION_MS;
    return { name: session.user, role: user.role, by: 'session' };
  }

  leave(cookie: string): void {
    this.#sessions.delete(hashOf(cookie));
  }

  /** The visitor of a bearer token; null: nobody has it. */
  ofToken(token: string): Visitor | null {
    let visitor: Visitor | null = null;
    for (const [name, { sha256, role }] of Object.entries(this.#options.tokens)) {
      if (isToken(token, sha256)) visitor = { name, role, by: 'token' };
    }
    return visitor;
  }

  /**
   * What a password is compared with where there is no such user: a user's hash, always the same one for
   * a name. Hashes may cost differently much, and a name that is not there must take as long as one that is.
   */
  #hashFor(name: string): string | undefined {
    const hashes = Object.values(this.#options.users).map(({ password }) => password);
    const [index = 0] = createHmac('sha256', this.#secret).update(name).digest();
    return hashes[index % hashes.length];
  }

  #begin(user: string, role: Role): string {
    const session = randomBytes(SESSION_BYTES).toString('base64url');
    this.#sessions.set(hashOf(session), {
      user,
      role,
      expires: this.#options.clock.now() + SESSION_MS,
    });
    // Of this user: nobody logs another one out.
    const own = [...this.#sessions].filter(([, each]) => each.user === user);
    const [oldest] = own;
    if (own.length > MAX_SESSIONS && oldest !== undefined) this.#sessions.delete(oldest[0]);
    return session;
  }

  #retryAfterS(address: string): number {
    const failures = this.#failures.get(address);
    if (failures === undefined) return 0;
    const left = failures.since + FAILURES_MS - this.#options.clock.now();
    if (left <= 0) {
      this.#failures.delete(address);
      return 0;
    }
    return failures.count >= MAX_FAILURES ? Math.ceil(left / 1000) : 0;
  }

  #countFailure(address: string): void {
    const failures = this.#failures.get(address);
    if (failures !== undefined) failures.count += 1;
    else this.#failures.set(address, { count: 1, since: this.#options.clock.now() });
    const [oldest] = this.#failures.keys();
    if (this.#failures.size > MAX_ADDRESSES && oldest !== undefined) this.#failures.delete(oldest);
  }

  #uncountFailure(address: string): void {
    const failures = this.#failures.get(address);
    if (failures === undefined) return;
    failures.count -= 1;
    if (failures.count <= 0) this.#failures.delete(address);
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    this.#waiting += 1;
    const turn = this.#hashing.then(work);
    this.#hashing = turn.catch(() => {});
    try {
      return await turn;
    } finally {
      this.#waiting -= 1;
    }
  }
}

function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** Whether a token has this SHA-256 (hexadecimal), in a time that tells nothing of either. */
export function isToken(token: string, sha256: string): boolean {
  const found = Buffer.from(hashOf(token), 'hex');
  const wanted = Buffer.from(sha256, 'hex');
  return wanted.length === found.length && timingSafeEqual(wanted, found);
}
