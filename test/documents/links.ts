import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

/** The Markdown files below a folder, relative to it; links, dependencies and hidden folders left out. */
export function documentsBelow(root: string, folder = ''): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && !/^(\.|node_modules$)/.test(entry.name)) {
      return documentsBelow(root, path);
    }
    return entry.isFile() && entry.name.endsWith('.md') ? [path] : [];
  });
}

/** What does not resolve in the documents of a folder, as `file: link: why`. */
export function brokenLinks(root: string, documents: readonly string[]): string[] {
  return documents.flatMap((document) =>
    linksOf(readFileSync(join(root, document), 'utf8')).flatMap((link) => {
      const why = faultOf(root, document, link);
      return why === null ? [] : [`${document}: ${link}: ${why}`];
    }),
  );
}

function faultOf(root: string, document: string, link: string): string | null {
  if (/^[a-z]+:/i.test(link)) return null;
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? join(root, document) : resolve(root, dirname(document), path);
  if (relative(root, target).startsWith('..')) return 'leaves the folder';
  if (!existsSync(target)) return 'is not there';
  if (anchor === undefined) return null;
  if (!statSync(target).isFile()) return 'an anchor in a folder';
  return anchorsOf(readFileSync(target, 'utf8')).includes(anchor) ? null : 'has no such heading';
}

/** Targets of links and pictures; what stands in code is none. */
function linksOf(markdown: string): string[] {
  const text = withoutCode(markdown).replaceAll(/`[^`]*`/g, '');
  const links = /\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)|<img src="([^"]+)"/g;
  return [...text.matchAll(links)].map(([, link, picture]) => link ?? picture ?? '');
}

/** The anchors that GitHub gives to the headings. */
export function anchorsOf(markdown: string): string[] {
  const seen = new Map<string, number>();
  return [...withoutCode(markdown).matchAll(/^#{1,6} +(.+?) *#*$/gm)].map(([, heading = '']) => {
    const slug = heading
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\p{M} _-]/gu, '')
      .replaceAll(' ', '-');
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    return count === 0 ? slug : `${slug}-${count}`;
  });
}

function withoutCode(markdown: string): string {
  return markdown.replaceAll(/^ *(```|~~~)[\s\S]*?^ *\1 *$/gm, '');
}
