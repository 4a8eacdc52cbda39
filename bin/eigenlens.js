#!/usr/bin/env node
// Starts the command line on Node 24. Runs itself on Node 12 or newer, so that an older system Node gets a Node 24 that is
// installed as the npm package `node`, or one clear line. Keep to the syntax and built-ins of Node 12.
import { spawn } from 'child_process';
import fs from 'fs';
import { createRequire } from 'module';
import path from 'path';
import { fileURLToPath, pathToFileURL } from 'url';

const REQUIRED = 24;
const self = fileURLToPath(import.meta.url);
const root = path.dirname(path.dirname(self));

/** Folder of the npm package `node`, seen from this package or from the working directory, if recent enough. */
function findNodePackage() {
  for (const from of [self, path.join(process.cwd(), 'package.json')]) {
    try {
      const manifest = createRequire(from).resolve('node/package.json');
      const version = JSON.parse(fs.readFileSync(manifest, 'utf8')).version;
      if (parseInt(version, 10) >= REQUIRED) return path.dirname(manifest);
    } catch (error) {
      // Not installed there: look at the next place.
    }
  }
  return undefined;
}

function refuse(line) {
  process.stderr.write(`eigenlens: ${line}\n`);
  process.exit(2);
}

function runUnder(program) {
  const child = spawn(program, [self].concat(process.argv.slice(2)), { stdio: 'inherit' });
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of signals) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => refuse(`cannot start ${program}: ${error.message}`));
  child.on('exit', (code, signal) => {
    for (const name of signals) process.removeAllListeners(name);
    if (signal) process.kill(process.pid, signal);
    else process.exit(code === null ? 1 : code);
  });
}

if (parseInt(process.versions.node, 10) >= REQUIRED) {
  // A checkout runs its sources (Node strips the types); the installed package has only dist.
  const source = path.join(root, 'src', 'cli', 'main.ts');
  const entry = fs.existsSync(source) ? source : path.join(root, 'dist', 'cli', 'main.js');
  import(pathToFileURL(entry).href);
} else {
  const folder = findNodePackage();
  const program = folder && path.join(folder, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  if (program && fs.existsSync(program)) runUnder(program);
  else if (program) {
    refuse(
      'the package node has no program, its install script was held back. Run: npm install-scripts approve node && npm rebuild node',
    );
  } else refuse(`needs Node ${REQUIRED} or newer, this is ${process.versions.node}. Run: npm install node@${REQUIRED}`);
}
