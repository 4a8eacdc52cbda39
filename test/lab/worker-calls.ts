import type { Page } from 'playwright-core';

/** Notes what a page asks its workers for. @returns how to take what was asked since the last time, in alphabetical order */
export async function watchWorkerCalls(page: Page): Promise<() => Promise<string[]>> {
  await page.evaluate(`{
    globalThis.workerCalls = [];
    const send = Worker.prototype.postMessage;
    Worker.prototype.postMessage = function (message) {
      if (message.kind === 'call') workerCalls.push(message.operation);
      return send.apply(this, arguments);
    };
  }`);
  return async () => (await page.evaluate<string[]>('workerCalls.splice(0)')).sort();
}
