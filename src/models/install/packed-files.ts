import { promisify } from 'node:util';
import yauzl from 'yauzl';

const MAX_ENTRIES = 64;
const MAX_FILE_BYTES = 1024 * 1024;

const openZip = promisify<Buffer, yauzl.Options, yauzl.ZipFile>(yauzl.fromBuffer);

/**
 * A file of some name among those that are packed behind a model, as TensorFlow Lite's metadata does it
 * (a zip archive at the end of the .tflite). Null if there is none, or none that can be read.
 */
export async function packedFile(model: Uint8Array, name: string): Promise<Uint8Array | null> {
  let zip: yauzl.ZipFile;
  try {
    const options = { lazyEntries: true, validateEntrySizes: true };
    zip = await openZip(Buffer.from(model.buffer, model.byteOffset, model.byteLength), options);
  } catch {
    // No archive, or none that anybody could read.
    return null;
  }
  return new Promise((resolve) => {
    let count = 0;
    const give = (bytes: Uint8Array | null) => {
      zip.close();
      resolve(bytes);
    };
    zip.on('error', () => give(null));
    zip.on('end', () => resolve(null));
    zip.on('entry', (entry: yauzl.Entry) => {
      count += 1;
      if (entry.fileName !== name && count < MAX_ENTRIES) zip.readEntry();
      else if (entry.fileName !== name || entry.uncompressedSize > MAX_FILE_BYTES) give(null);
      else void readEntry(zip, entry).then(give, () => give(null));
    });
    zip.readEntry();
  });
}

async function readEntry(zip: yauzl.ZipFile, entry: yauzl.Entry): Promise<Uint8Array> {
  const parts: Buffer[] = [];
  const open = promisify<yauzl.Entry, NodeJS.ReadableStream>(zip.openReadStream.bind(zip));
  for await (const part of await open(entry)) parts.push(Buffer.from(part));
  return Buffer.concat(parts);
}
