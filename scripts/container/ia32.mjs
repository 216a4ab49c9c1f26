/** The least program for 32-bit x86: it ends with 42. */
export function ia32Program() {
  const address = 0x10000;
  const code = [0x31, 0xc0, 0x40, 0xb3, 42, 0xcd, 0x80]; // xor eax,eax; inc eax; mov bl,42; int 0x80
  const file = Buffer.alloc(84 + code.length);
  file.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]);
  file.writeUInt16LE(2, 16); // an executable
  file.writeUInt16LE(3, 18); // for i386
  file.writeUInt32LE(1, 20);
  file.writeUInt32LE(address + 84, 24); // entry
  file.writeUInt32LE(52, 28); // program headers
  file.writeUInt16LE(52, 40);
  file.writeUInt16LE(32, 42);
  file.writeUInt16LE(1, 44);
  const segment = [1, 0, address, address, file.length, file.length, 5, 0x1000];
  for (const [index, word] of segment.entries()) file.writeUInt32LE(word, 52 + 4 * index);
  file.set(code, 84);
  return file;
}
