import { spawn } from 'node:child_process';

/** Opens an address in the user's browser where this machine has one; that it does not is no failure, the address is printed. */
export function openBrowser(url: string): void {
  const { platform, env } = process;
  const hasScreen = platform !== 'linux' || Boolean(env['DISPLAY'] ?? env['WAYLAND_DISPLAY']);
  if (!hasScreen) return;
  const [program, ...words] =
    platform === 'darwin'
      ? ['open', url]
      : platform === 'win32'
        ? ['cmd', '/c', 'start', '""', url]
        : ['xdg-open', url];
  const child = spawn(program ?? '', words, { stdio: 'ignore', detached: true });
  child.on('error', () => undefined);
  child.unref();
}
