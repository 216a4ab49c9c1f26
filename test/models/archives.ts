import { deflateRawSync, gzipSync } from 'node:zlib';
import { Header } from 'tar';

export interface Member {
  readonly path: string;
  readonly data?: Uint8Array;
  /** Of the tar header. */
  readonly type?: 'File' | 'SymbolicLink' | 'Link' | 'Directory' | 'CharacterDevice';
  readonly linkpath?: string;
  /** What the header claims; the data's own length if absent. */
  readonly size?: number;
}

const BLOCK = 512;

/** A tar file of exactly these members, whatever their names. */
export function buildTar(members: readonly Member[], end = true): Buffer {
  const parts: Buffer[] = [];
  for (const { path, data = new Uint8Array(), type = 'File', linkpath, size } of members) {
    const header = new Header({
      path,
      type,
      mode: 0o644,
      uid: 0,
      gid: 0,
      size: size ?? data.length,
      mtime: new Date(0),
      ...(linkpath === undefined ? {} : { linkpath }),
    });
    const block = Buffer.alloc(BLOCK);
    header.encode(block, 0);
    parts.push(block, Buffer.from(data), Buffer.alloc((BLOCK - (data.length % BLOCK)) % BLOCK));
  }
  if (end) parts.push(Buffer.alloc(2 * BLOCK));
  return Buffer.concat(parts);
}

export function buildTgz(members: readonly Member[]): Buffer {
  return gzipSync(buildTar(members));
}

function crc32(data: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of data) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}

export interface ZipMember {
  readonly path: string;
  readonly data: Uint8Array;
  /** File type and permissions as Unix has them; 0 for an archive from elsewhere. */
  readonly mode?: number;
  /** Unpacked size that both headers claim. */
  readonly size?: number;
  readonly encrypted?: boolean;
}

/** A zip file with deflated members. */
export function buildZip(members: readonly ZipMember[]): Buffer {
  const files: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { path, data, mode = 0, size = data.length, encrypted = false } of members) {
    const name = Buffer.from(path);
    const packed = deflateRawSync(data);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(encrypted ? 1 : 0, 2);
    common.writeUInt16LE(8, 4);
    common.writeUInt32LE(crc32(data), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(size, 18);
    common.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, name, packed]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE((mode << 16) >>> 0, 6);
    tail.writeUInt32LE(offset, 10);
    const madeBy = Buffer.from([20, 3]);
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02'), madeBy, common, tail, name]));
    files.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(members.length, 4);
  end.writeUInt16LE(members.length, 6);
  end.writeUInt32LE(central.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...files, central, Buffer.from('PK\x05\x06'), end]);
}
