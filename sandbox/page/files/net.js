// Calls to the sandbox: single ones, and the polling of the state while the page is visible.

const POLL_MS = 700;
const RETRY_MS = 2000;
const POLL_TIMEOUT_MS = 8000;

/** The JSON response to a call; throws an Error with a text for people. */
export async function call(method, path, body, timeout = 45000) {
  const request = { method, signal: AbortSignal.timeout(timeout) };
  if (body !== undefined) {
    request.body = JSON.stringify(body);
    request.headers = { "Content-Type": "application/json" };
  }
  const [response, document] = await fetch(path, request)
    .then(async (received) => [received, await received.json()])
    .catch(() => { throw new Error("the sandbox does not respond"); });
  if (!response.ok) throw new Error(document.message ?? `HTTP ${response.status}`);
  return document;
}

/**
 * Poll `path()` while the page is visible: `show` gets each document, `fail` is called without one.
 * Returns a function that polls at once.
 */
export function follow(path, show, fail) {
  let timer;
  let running = 0;
  async function poll() {
    clearTimeout(timer);
    const run = ++running;
    const state = await call("GET", path(), undefined, POLL_TIMEOUT_MS).catch(() => null);
    if (run !== running || document.hidden) return;
    timer = setTimeout(poll, state ? POLL_MS : RETRY_MS);
    if (state) show(state);
    else fail();
  }
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) clearTimeout(timer);
    else poll();
  });
  poll();
  return poll;
}
