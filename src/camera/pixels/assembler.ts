/** Cuts a byte stream into blocks of one length, whatever the chunks it comes in. */
export interface BlockAssembler {
  /** Takes bytes of `chunk` from `from` on; returns the position after the last byte it took. */
  push(chunk: Uint8Array, from: number): number;
  /** Bytes of a block that is not yet whole. */
  pending(): number;
}

/**
 * Calls `onBlock` with each whole block; its bytes are overwritten after `onBlock` returns. `push`
 * returns after each block, so that the caller can look at what lies between blocks.
 */
export function createBlockAssembler(
  length: number,
  onBlock: (block: Uint8Array) => void,
): BlockAssembler {
  const block = new Uint8Array(length);
  let filled = 0;
  return {
    push(chunk, from) {
      const taken = Math.min(chunk.length - from, length - filled);
      block.set(chunk.subarray(from, from + taken), filled);
      filled += taken;
      if (filled === length) {
        filled = 0;
        onBlock(block);
      }
      return from + taken;
    },
    pending: () => filled,
  };
}
