import ts from 'typescript';

/** One import or re-export of a module. */
export interface ImportFact {
  readonly specifier: string;
  /** Erased before the program runs. */
  readonly typeOnly: boolean;
  /** Runs on load; false for `import()` and worker URLs, which run later. */
  readonly immediate: boolean;
  readonly line: number;
}

/** A TypeScript file as the house sees it. */
export interface SourceFacts {
  readonly imports: readonly ImportFact[];
  /** Global names of Node used without import, with their lines. */
  readonly nodeGlobals: readonly { readonly name: string; readonly line: number }[];
  /** Exported names that have no doc comment, with their lines. */
  readonly undocumented: readonly { readonly name: string; readonly line: number }[];
  readonly lines: number;
}

const NODE_GLOBALS = new Set(['Buffer', 'process', '__dirname', '__filename', 'require']);

/** Reads the facts of one file from its text; types are not resolved. */
export function readSource(path: string, text: string): SourceFacts {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const lineOf = (node: ts.Node): number => file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1;
  const imports: ImportFact[] = [];
  const nodeGlobals: { name: string; line: number }[] = [];
  const visit = (node: ts.Node): void => {
    const found = importOf(node);
    if (found !== undefined) imports.push({ ...found, line: lineOf(node) });
    if (ts.isIdentifier(node) && NODE_GLOBALS.has(node.text) && isFreeName(node)) {
      nodeGlobals.push({ name: node.text, line: lineOf(node) });
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  const undocumented = file.statements.flatMap((statement) =>
    isExported(statement) && ts.getJSDocCommentsAndTags(statement).length === 0
      ? [{ name: nameOf(statement), line: lineOf(statement) }]
      : [],
  );
  return { imports, nodeGlobals, undocumented, lines: text.replace(/\n$/, '').split('\n').length };
}

function importOf(node: ts.Node): Omit<ImportFact, 'line'> | undefined {
  if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
    return { specifier: node.moduleSpecifier.text, typeOnly: isTypeOnlyImport(node.importClause), immediate: true };
  }
  if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined && ts.isStringLiteral(node.moduleSpecifier)) {
    return { specifier: node.moduleSpecifier.text, typeOnly: isTypeOnlyExport(node), immediate: true };
  }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument) && ts.isStringLiteral(node.argument.literal)) {
    return { specifier: node.argument.literal.text, typeOnly: true, immediate: false };
  }
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    const [argument] = node.arguments;
    if (argument !== undefined && ts.isStringLiteralLike(argument)) {
      return { specifier: argument.text, typeOnly: false, immediate: false };
    }
  }
  return workerOf(node);
}

/** `new URL('./worker.ts', import.meta.url)` names a module that a worker will run. */
function workerOf(node: ts.Node): Omit<ImportFact, 'line'> | undefined {
  if (!ts.isNewExpression(node) || !ts.isIdentifier(node.expression) || node.expression.text !== 'URL')
    return undefined;
  const [argument] = node.arguments ?? [];
  if (argument === undefined || !ts.isStringLiteralLike(argument) || !/^\.{1,2}\/.*\.ts$/.test(argument.text)) {
    return undefined;
  }
  return { specifier: argument.text, typeOnly: false, immediate: false };
}

function isTypeOnlyImport(clause: ts.ImportClause | undefined): boolean {
  if (clause === undefined) return false; // `import './x.ts'` runs.
  return clause.phaseModifier === ts.SyntaxKind.TypeKeyword;
}

function isTypeOnlyExport(node: ts.ExportDeclaration): boolean {
  return node.isTypeOnly;
}

function isExported(statement: ts.Statement): boolean {
  // A re-export is documented where it is declared.
  return (
    ts.canHaveModifiers(statement) &&
    (ts.getModifiers(statement)?.some((m) => m.kind === ts.SyntaxKind.ExportKeyword) ?? false)
  );
}

function nameOf(statement: ts.Statement): string {
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.map((d) => d.name.getText()).join(', ');
  }
  const { name } = statement as ts.Statement & { readonly name?: ts.Node };
  return name?.getText() ?? 'default';
}

/** Whether an identifier stands for a value of that name, not for a property or a key. */
function isFreeName(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node;
  if (ts.isPropertyAssignment(parent) || ts.isPropertySignature(parent) || ts.isMethodSignature(parent)) {
    return !(parent.name === node);
  }
  return ts.isExpression(node) && !ts.isBindingElement(parent) && !ts.isParameter(parent);
}
