import type { TokenUser, User } from './login.js';

export interface PageOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: { readonly cert: Buffer; readonly key: Buffer } | null;
  readonly users: Readonly<Record<string, User>>;
  readonly tokens: Readonly<Record<string, TokenUser>>;
  readonly trustedProxies: readonly string[];
  /** Names that the page may be addressed by, besides those of this machine; none: see admission.ts. */
  readonly hosts: readonly string[];
  /** Path of the page when no proxy takes it off, with a slash at both ends. */
  readonly basePath: string;
  /** Sites that may show the page in a frame. */
  readonly frameAncestors: readonly string[];
  readonly metrics: {
    /** The text of Prometheus' format. */
    readonly read: () => Promise<string>;
    readonly contentType: string;
    /** SHA-256 of the token that may read them besides; null: whoever may see the page. */
    readonly sha256: string | null;
  } | null;
  /** Folder of the page's files. */
  readonly assets: string;
  readonly version: string;
}
