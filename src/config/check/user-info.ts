import { parseAddress } from '../../address.js';

const NOBODY = { username: '', password: '' };

/** User name and password that stand in an address; empty where there are none. */
export function userInfoOf(url: string | null): {
  readonly username: string;
  readonly password: string;
} {
  return url === null ? NOBODY : (parseAddress(url)?.url ?? NOBODY);
}
