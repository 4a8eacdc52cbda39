import type { DuckDBConnection } from '@duckdb/node-api';
import { CancelledError, SpecError, StoreError, throwIfAborted } from '../errors/errors.ts';

/** A table that a query may name. */
export interface QueryTable {
  readonly name: string;
  /** Columns that are there even without rows, with their DuckDB types; further ones are found in the rows. */
  readonly columns: Readonly<Record<string, string>>;
  readonly rows: readonly Readonly<Record<string, unknown>>[];
}

/** What a query found. */
export interface QueryResult {
  readonly columns: readonly string[];
  /** Plain data: whole numbers beyond 2^53 and everything that JSON does not know as text. */
  readonly rows: readonly (readonly PlainValue[])[];
}

/** A value of a query's result as JSON holds it. */
export type PlainValue = number | string | boolean | null | PlainValue[] | { readonly [name: string]: PlainValue };

/**
 * Runs one SQL statement of DuckDB over tables in memory. It sees no file, no network and no extension, and what it changes is gone
 * with it.
 * @throws SpecError in one line for a statement that is wrong; StoreError where DuckDB is not installed; CancelledError
 */
export async function queryTables(
  tables: readonly QueryTable[],
  sql: string,
  signal?: AbortSignal,
): Promise<QueryResult> {
  const { DuckDBInstance } = await loadDuckDb();
  const instance = await DuckDBInstance.create(':memory:', {
    temp_directory: '', // before access is closed, which closes this option too
    enable_external_access: 'false',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  });
  const connection = await instance.connect();
  let interrupting: NodeJS.Timeout | undefined;
  // Again and again: an interrupt that comes before the statement runs is forgotten.
  const interrupt = (): void => void (interrupting = setInterval(() => connection.interrupt(), 50));
  signal?.addEventListener('abort', interrupt);
  try {
    for (const table of tables) await fillOrSay(connection, table);
    await connection.run('SET lock_configuration = true');
    throwIfAborted('sql', signal);
    return await ask(connection, sql);
  } catch (cause) {
    if (signal?.aborted === true) throw new CancelledError('sql', undefined, { cause });
    throw cause;
  } finally {
    signal?.removeEventListener('abort', interrupt);
    clearInterval(interrupting);
    connection.closeSync();
    instance.closeSync();
  }
}

async function loadDuckDb(): Promise<typeof import('@duckdb/node-api')> {
  try {
    return await import('@duckdb/node-api');
  } catch (cause) {
    const reason = String((cause as Error).message).split('\n', 1)[0] ?? '';
    throw new StoreError('duckdb', `does not start on this machine: ${reason}. Run npm install again.`, { cause });
  }
}

async function ask(connection: DuckDBConnection, sql: string): Promise<QueryResult> {
  // A comment ends with its line: any looser, and a rule of dashes takes for ever.
  if (/^\s*(--[^\n]*(\n\s*|$))*$/.test(sql))
    throw new SpecError('sql', 'expected a statement, got none. Try "SELECT * FROM runs".');
  try {
    const statements = await connection.extractStatements(sql);
    if (statements.count !== 1) throw new SpecError('sql', `expected one statement, got ${statements.count}.`);
    const reader = await connection.runAndReadAll(sql);
    return { columns: reader.deduplicatedColumnNames(), rows: reader.getRowsJS().map((row) => row.map(plain)) };
  } catch (cause) {
    if (cause instanceof SpecError) throw cause;
    throw new SpecError('sql', `${sqlMessage((cause as Error).message)} See docs/sweeps.md for the columns.`, {
      cause,
    });
  }
}

/** DuckDB's reason and advice without the drawing of the place. */
function sqlMessage(message: string): string {
  const text = message.replace(/^Failed to extract statements: /, '').replace(/\n\s*LINE \d+:[^]*$/, '');
  const line = text.replace(/\s+/g, ' ').trim();
  return /[.?!]$/.test(line) ? line : `${line}.`;
}

/** @throws StoreError in one line for rows that DuckDB does not take, such as those with a column without a name */
async function fillOrSay(connection: DuckDBConnection, table: QueryTable): Promise<void> {
  try {
    await fill(connection, table);
  } catch (cause) {
    const reason = sqlMessage((cause as Error).message);
    throw new StoreError(`table ${table.name}`, `${reason} Move the run with such rows away.`, { cause });
  }
}

async function fill(connection: DuckDBConnection, { name, columns, rows }: QueryTable): Promise<void> {
  const all = findColumns(columns, rows);
  const declared = all.map(({ column, type }) => `${quoted(column)} ${type}`).join(', ');
  await connection.run(`CREATE TABLE ${quoted(name)} (${declared})`);
  const appender = await connection.createAppender(name);
  for (const row of rows) {
    for (const { field, type } of all) {
      const value = row[field];
      if (value === undefined || value === null) appender.appendNull();
      else if (type === 'DOUBLE') appender.appendDouble(value as number);
      else if (type === 'BIGINT') appender.appendBigInt(BigInt(value as number));
      else if (type === 'BOOLEAN') appender.appendBoolean(value as boolean);
      else appender.appendVarchar(typeof value === 'string' && type !== 'JSON' ? value : JSON.stringify(value));
    }
    appender.endRow();
  }
  appender.closeSync();
}

interface Column {
  readonly field: string;
  /** DuckDB's names do not differ by case alone. */
  readonly column: string;
  readonly type: string;
}

function findColumns(
  known: Readonly<Record<string, string>>,
  rows: readonly Readonly<Record<string, unknown>>[],
): Column[] {
  const types = new Map<string, string>(Object.entries(known));
  for (const row of rows) {
    for (const [field, value] of Object.entries(row)) {
      if (value === null || value === undefined || Object.hasOwn(known, field)) continue;
      types.set(field, joinTypes(types.get(field), typeOf(value)));
    }
  }
  const taken = new Set<string>();
  return [...types].map(([field, type]) => {
    let column = field;
    for (let n = 1; taken.has(column.toLowerCase()); n++) column = `${field}_${n}`;
    taken.add(column.toLowerCase());
    return { field, column, type };
  });
}

function typeOf(value: unknown): string {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? 'BIGINT' : 'DOUBLE';
  if (typeof value === 'boolean') return 'BOOLEAN';
  return typeof value === 'string' ? 'VARCHAR' : 'JSON';
}

/** The type of a column whose values have both; text where nothing else holds them. */
function joinTypes(a: string | undefined, b: string): string {
  if (a === undefined || a === b) return b;
  return [a, b].every((type) => type === 'BIGINT' || type === 'DOUBLE') ? 'DOUBLE' : 'VARCHAR';
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function plain(value: unknown): PlainValue {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype) {
    return Object.fromEntries(Object.entries(value).map(([name, v]) => [name, plain(v)]));
  }
  return text(value);
}

/** DuckDB's own classes say themselves as SQL does. */
function text(value: { toString(): string }): string {
  return value.toString();
}
