import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

/** Parameters of scrypt (RFC 7914): 16 MiB and about 50 ms on a small board. */
const COST = 16_384;
const BLOCK_SIZE = 8;
const PARALLEL = 1;
const KEY_BYTES = 32;
/** A hash as {@link hashPassword} writes it: cost, block size, parallelism, salt, key. */
export const PASSWORD_HASH =
  /^scrypt\$(\d{1,7})\$(\d{1,2})\$(\d{1,2})\$([A-Za-z0-9+/=]{16,})\$([A-Za-z0-9+/=]{16,})$/;
/** Compared with when there is no such user, so that the answer takes as long. */
const NOBODY = `scrypt$${COST}$${BLOCK_SIZE}$${PARALLEL}$AAAAAAAAAAAAAAAAAAAAAA==$${Buffer.alloc(KEY_BYTES).toString('base64')}`;

/** A password as `scrypt$cost$block size$parallelism$salt$key`, fit for a configuration file. */
export async function hashPassword(
  password: string,
  salt: Buffer = randomBytes(16),
): Promise<string> {
  const key = await derive(Buffer.from(password), salt, [COST, BLOCK_SIZE, PARALLEL], KEY_BYTES);
  const parts = [COST, BLOCK_SIZE, PARALLEL, salt.toString('base64'), key.toString('base64')];
  return `scrypt$${parts.join('$')}`;
}

/** True if the password has this hash; false for a hash of null or of another form. */
export async function verifyPassword(password: Buffer, hash: string | null): Promise<boolean> {
  const match = PASSWORD_HASH.exec(hash ?? NOBODY);
  if (match === null) return false;
  const [, cost, block, parallel, salt = '', key = ''] = match;
  const wanted = Buffer.from(key, 'base64');
  try {
    const parameters = [Number(cost), Number(block), Number(parallel)] as const;
    const found = await derive(password, Buffer.from(salt, 'base64'), parameters, wanted.length);
    return timingSafeEqual(found, wanted) && hash !== null;
  } catch {
    // Parameters that scrypt does not take: a damaged hash, which nothing matches.
    return false;
  }
}

function derive(
  password: Buffer,
  salt: Buffer,
  [N, r, p]: readonly [number, number, number],
  bytes: number,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password, salt, bytes, { N, r, p, maxmem: 64 * 1024 * 1024 }, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}
