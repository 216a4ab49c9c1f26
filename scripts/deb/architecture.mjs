// What the two architectures are called by whom, and which tools build for them.
const ARCHITECTURES = {
  amd64: { node: 'x64', triplet: 'x86_64-linux-gnu' },
  arm64: { node: 'arm64', triplet: 'aarch64-linux-gnu' },
};

/** @param deb Debian's name: amd64 or arm64 */
export function architecture(deb) {
  const known = ARCHITECTURES[deb];
  if (known === undefined) {
    throw new Error(
      `architecture: expected ${Object.keys(ARCHITECTURES).join(' or ')}, found ${deb}`,
    );
  }
  const prefix = known.node === process.arch ? '' : `${known.triplet}-`;
  return {
    deb,
    node: known.node,
    gcc: `${prefix}gcc`,
    gxx: `${prefix}g++`,
    strip: `${prefix}strip`,
    /** Debian package that has the compiler. */
    compilerPackage: prefix === '' ? 'g++' : `g++-${known.triplet}`,
  };
}
