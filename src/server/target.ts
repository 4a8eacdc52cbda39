/**
 * The parts of a request's path, decoded once.
 * @param target  as it stands in the request line, `/api/runs/a/report.html?x=1`
 * @returns undefined for what is no plain path: another form of target, dots or nothing between slashes, hidden names, encoded slashes,
 *   backslashes, control characters, broken encodings
 */
export function pathParts(target: string): string[] | undefined {
  if (!target.startsWith('/')) return undefined;
  const [path = ''] = target.split(/[?#]/, 1);
  if (path === '/') return [];
  const parts: string[] = [];
  for (const coded of path.slice(1).split('/')) {
    const part = decoded(coded);
    if (part === undefined || !isPlain(part)) return undefined;
    parts.push(part);
  }
  return parts;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** A name that starts with a dot is hidden or leads upwards. */
function isPlain(part: string): boolean {
  return part !== '' && !part.startsWith('.') && !/[/\\\u0000-\u001f\u007f]/.test(part);
}
