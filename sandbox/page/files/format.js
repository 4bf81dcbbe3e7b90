// Times and counts as text.

/** A duration with its unit: `90 s`, `59 min`, `24 h`. */
export function duration(seconds, digits = 0) {
  if (seconds < 120) return `${seconds.toFixed(digits)} s`;
  return seconds < 7200 ? `${Math.floor(seconds / 60)} min` : `${Math.floor(seconds / 3600)} h`;
}

/** How far `at` is ahead of `now`, both in epoch milliseconds: `in 5 s`, or `now`. */
export function ahead(at, now) {
  const seconds = Math.ceil((at - now) / 1000);
  return seconds > 0 ? `in ${duration(seconds)}` : "now";
}

/** `1 payment`, `3 payments`. */
export function counted(number, one, many = `${one}s`) {
  return `${number} ${number === 1 ? one : many}`;
}
