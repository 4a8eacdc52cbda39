import { dirname, join } from 'node:path/posix';

import { readSource } from './source-file.ts';
import type { ImportFact, SourceFacts } from './source-file.ts';
import {
  ADAPTED_PACKAGES,
  FLOORS,
  LAB_STOREYS,
  LAST_BROWSER_FLOOR,
  LINES_PER_FILE,
  LINES_PER_TEST,
  NODE_FILES,
} from './house-rules.ts';

/** Texts of files by path from the root, `src/tensor/tensor.ts`; of components of the lab, the script alone. */
export type Sources = ReadonlyMap<string, string>;

/** Every breach of the house rules in these files, one line each with what to do instead. */
export function findBreaches(sources: Sources): string[] {
  const facts = new Map([...sources].map(([path, text]) => [path, readSource(path, text)]));
  return [
    ...[...facts].flatMap(([path, file]) => fileBreaches(path, file, sources)),
    ...adapterBreaches(facts),
    ...cycleBreaches(facts),
  ];
}

/** Floor of a file, counted from 1; undefined outside `src` folders and the lab, whose storeys are parts of a floor. `src/index.ts` stands on top. */
export function floorOf(path: string): number | undefined {
  if (path === 'src/index.ts') return FLOORS.length + 1;
  const storey = LAB_STOREYS.findIndex((pattern) => pattern.test(path));
  if (storey >= 0) return LAST_BROWSER_FLOOR + 1 - (storey + 1) / (LAB_STOREYS.length + 1);
  const folder = folderOf(path);
  const at = FLOORS.findIndex((floor) => folder !== undefined && floor.includes(folder));
  return at < 0 ? undefined : at + 1;
}

/** Folder of src, one room of the lab, or the rest of it. */
function folderOf(path: string): string | undefined {
  return /^src\/([^/]+)\//.exec(path)?.[1] ?? /^lab(?:\/rooms\/[^/]+)?(?=\/)/.exec(path)?.[0];
}

function isTest(path: string): boolean {
  return /\.(test|bench|fixture)\.ts$/.test(path);
}

function fileBreaches(path: string, file: SourceFacts, sources: Sources): string[] {
  const limit = isTest(path) ? LINES_PER_TEST : LINES_PER_FILE;
  const breaches: string[] = [];
  if (file.lines > limit) breaches.push(`${path}: ${file.lines} lines, at most ${limit}. Split it by what it does.`);
  if (floorOf(path) === undefined) {
    return [
      ...breaches,
      `${path}: lies on no floor. Move it to a folder of test/house/house-rules.ts, or add its folder.`,
    ];
  }
  // Tests may look up and sideways for their oracles.
  if (isTest(path)) return breaches;
  for (const found of file.imports) breaches.push(...importBreaches(path, found, sources));
  if (mustRunInBrowser(path)) {
    for (const { name, line } of file.nodeGlobals) {
      breaches.push(
        `${path}:${line}: uses ${name} of Node, but this floor runs in a browser. Pass it in, or use a web standard.`,
      );
    }
  }
  return breaches;
}

function mustRunInBrowser(path: string): boolean {
  return (floorOf(path) ?? Infinity) < LAST_BROWSER_FLOOR + 1 && !NODE_FILES.some((allowed) => allowed.test(path));
}

function importBreaches(path: string, found: ImportFact, sources: Sources): string[] {
  const { specifier, line } = found;
  const at = `${path}:${line}`;
  if (!specifier.startsWith('.')) {
    const onNode = specifier.startsWith('node:') && mustRunInBrowser(path);
    return onNode
      ? [
          `${at}: imports ${specifier}, but this floor runs in a browser. Take the bytes as an argument, or add the file to NODE_FILES.`,
        ]
      : [];
  }
  const target = join(dirname(path), specifier);
  if (!sources.has(target))
    return /\.(json|css)$|\?url$/.test(specifier)
      ? []
      : [`${at}: ${specifier} is no file of src. Name it with its .ts.`];
  if (target.endsWith('/index.ts')) return [`${at}: imports an index. Import the file that has the name.`];
  if (folderOf(target) === folderOf(path) || folderOf(target) === 'errors') return [];
  const [from, to] = [floorOf(path) ?? 0, floorOf(target) ?? 0];
  if (to < from) return [];
  const way = to === from ? 'sideways' : 'upwards';
  return [
    `${at}: imports ${way}, ${folderOf(path)} (floor ${from}) from ${folderOf(target)} (floor ${to}). ` +
      'Take what is needed as an argument, or move the shared piece to a lower floor.',
  ];
}

function adapterBreaches(facts: ReadonlyMap<string, SourceFacts>): string[] {
  return ADAPTED_PACKAGES.flatMap((name) => {
    const users = [...facts].filter(
      ([path, file]) =>
        !isTest(path) &&
        file.imports.some((i) => !i.typeOnly && (i.specifier === name || i.specifier.startsWith(`${name}/`))),
    );
    if (users.length <= 1) return [];
    return [`${users.map(([path]) => path).join(', ')}: import ${name}. Let one file adapt it and use that one.`];
  });
}

/** One line for every group of files that import each other at load time. */
function cycleBreaches(facts: ReadonlyMap<string, SourceFacts>): string[] {
  const next = (path: string): string[] =>
    (facts.get(path)?.imports ?? [])
      .filter((i) => i.immediate && !i.typeOnly && i.specifier.startsWith('.'))
      .map((i) => join(dirname(path), i.specifier))
      .filter((target) => facts.has(target));
  const done = new Set<string>();
  const breaches: string[] = [];
  const walk = (path: string, trail: readonly string[]): void => {
    const seenAt = trail.indexOf(path);
    if (seenAt >= 0) {
      const ring = [...trail.slice(seenAt), path].join(' -> ');
      breaches.push(`${ring}: import each other. Move what they share to a third file, or import the type only.`);
      return;
    }
    if (done.has(path)) return;
    for (const target of next(path)) walk(target, [...trail, path]);
    done.add(path);
  };
  for (const path of facts.keys()) walk(path, []);
  return breaches;
}
