import ts from 'typescript';

/** Targets of the links and pictures of a Markdown text that point into the repository, without their anchors. */
export function relativeLinks(markdown: string): string[] {
  const prose = markdown.replace(/```[\s\S]*?```/g, '');
  const inline = [...prose.matchAll(/\]\(\s*<?([^)\s>]+)/g)].map((m) => m[1] ?? '');
  const html = [...prose.matchAll(/\b(?:src|href)="([^"]+)"/g)].map((m) => m[1] ?? '');
  return [...inline, ...html]
    .filter((target) => !/^([a-z]+:|#|\/\/)/i.test(target))
    .map((target) => decodeURI(target.replace(/#.*$/, '')));
}

/** Sub-commands of `eigenlens` in the code blocks and inline code of a Markdown text. */
export function namedCommands(markdown: string): string[] {
  return wordsAfter(markdown, /(?:^|[;|&$]) *(?:npx )?eigenlens +([a-z]+)\b/gm);
}

/** Scripts of package.json that a Markdown text tells to run. */
export function namedScripts(markdown: string): string[] {
  const shortcuts = wordsAfter(markdown, /\bnpm (start|test)\b/g);
  return [...shortcuts, ...wordsAfter(markdown, /\bnpm run ([\w:-]+)/g)];
}

function wordsAfter(markdown: string, pattern: RegExp): string[] {
  const code = [...markdown.matchAll(/```[\s\S]*?```|`[^`\n]+`/g)].map((m) => m[0].replace(/`+/g, ' ')).join('\n');
  return [...code.matchAll(pattern)].map((m) => m[1] ?? '');
}

/** Members of a union of string literals, `type Name = 'A' | 'B'`. */
export function literalUnion(text: string, name: string): string[] {
  const file = ts.createSourceFile('union.ts', text, ts.ScriptTarget.Latest, true);
  const alias = file.statements.filter(ts.isTypeAliasDeclaration).find((s) => s.name.text === name);
  const members = alias !== undefined && ts.isUnionTypeNode(alias.type) ? alias.type.types : [];
  return members.flatMap((m) => (ts.isLiteralTypeNode(m) && ts.isStringLiteral(m.literal) ? [m.literal.text] : []));
}
