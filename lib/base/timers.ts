/** Timers of any length: Node fires one that is longer than it can count at once. */

/** Milliseconds, some 25 days. */
export const longestTimer = 2 ** 31 - 1

/** `setTimeout`, but one that is too long for Node ends when the longest would. */
export const startTimer = (fire: () => void, milliseconds: number): NodeJS.Timeout =>
  setTimeout(fire, Math.min(milliseconds, longestTimer))
