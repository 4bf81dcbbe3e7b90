// Talks to the sandbox: single calls, and the state again and again while somebody looks.

const EVERY = 700;
const AFTER_TROUBLE = 2000;
const PATIENCE = 8000;

/** The JSON answer to a call; throws an Error with a line for people. */
export async function call(method, path, body, patience = 45000) {
  const request = { method, signal: AbortSignal.timeout(patience) };
  if (body !== undefined) {
    request.body = JSON.stringify(body);
    request.headers = { "Content-Type": "application/json" };
  }
  const [answer, told] = await fetch(path, request)
    .then(async (come) => [come, await come.json()])
    .catch(() => { throw new Error("the sandbox does not answer"); });
  if (!answer.ok) throw new Error(told.message ?? `HTTP ${answer.status}`);
  return told;
}

/**
 * Ask for `path()` and hand each answer to `show`; call `fail` where there is none. Not while the
 * page is hidden.
 * Gives a function that asks at once.
 */
export function follow(path, show, fail) {
  let timer;
  let running = 0;
  async function ask() {
    clearTimeout(timer);
    const run = ++running;
    const told = await call("GET", path(), undefined, PATIENCE).catch(() => null);
    if (run !== running || document.hidden) return;
    timer = setTimeout(ask, told ? EVERY : AFTER_TROUBLE);
    if (told) show(told);
    else fail();
  }
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) clearTimeout(timer);
    else ask();
  });
  ask();
  return ask;
}
