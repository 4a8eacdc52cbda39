/** A file with its place in what was dropped, `cats/1.png`; a single file has its name. */
export interface DroppedFile {
  readonly path: string;
  readonly file: File;
}

/** The files of a drop, folders in full, in the order of their paths; hidden files are left out. */
export async function filesOf(transfer: DataTransfer): Promise<DroppedFile[]> {
  // Entries must be taken before anything is awaited: the list is empty afterwards.
  const entries = [...transfer.items].flatMap((item) => item.webkitGetAsEntry() ?? []);
  const found = (await Promise.all(entries.map(walk))).flat();
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** The files of a file chooser. */
export function filesOfInput(list: FileList): DroppedFile[] {
  const files = [...list].map((file) => ({ path: file.webkitRelativePath || file.name, file }));
  return files.filter(({ path }) => !/(^|\/)\./.test(path)).sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function walk(entry: FileSystemEntry): Promise<DroppedFile[]> {
  if (entry.name.startsWith('.')) return [];
  if (isFile(entry)) {
    const file = await new Promise<File>((resolve, reject) => entry.file(resolve, reject));
    return [{ path: entry.fullPath.replace(/^\//, ''), file }];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const files: DroppedFile[] = [];
  for (;;) {
    // A reader hands out at most a hundred at a time.
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return files;
    files.push(...(await Promise.all(some.map(walk))).flat());
  }
}

function isFile(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile;
}
