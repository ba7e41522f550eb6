/** Runs on several backends keep their order: what is submitted to one waits, off the event loop, for all that others were given before. */
import { drainAll, drainOthers, hasSeveralBackends } from '../backend/active.ts'
import type { Backend } from '../backend/backend.ts'

interface Waiting {
  readonly backend: Backend
  start(): void
}

const waiting: Waiting[] = []

/** The one backend that has runs under way, and how many. */
let busy: Backend | null = null
let underWay = 0

/** Runs are counted from when there is a second backend. */
let isCounting = false

/**
 * Starts a run now or, where another backend has to end its own first, later. `onWait` is called where it has to wait.
 * Settles as the run does.
 */
export function startInLine(backend: Backend, start: () => Promise<void>, onWait: () => void): Promise<void> {
  if (!hasSeveralBackends()) return start()
  if (!isCounting) drainOthers(backend)
  isCounting = true
  if (waiting.length === 0 && mayStart(backend)) return startCounted(backend, start)
  onWait()
  return new Promise((resolve, reject) => {
    waiting.push({ backend, start: () => void startCounted(backend, start).then(resolve, reject) })
  })
}

const mayStart = (backend: Backend): boolean => busy === null || busy === backend

function startCounted(backend: Backend, start: () => Promise<void>): Promise<void> {
  busy = backend
  underWay++
  const done = start()
  done.then(ended, ended)
  return done
}

function ended(): void {
  if (--underWay > 0) return
  busy = null
  for (let next = waiting[0]; next !== undefined && mayStart(next.backend); next = waiting[0]) {
    waiting.shift()
    next.start()
  }
}

/** Has all that waits started, for which one backend after the other is waited for here and now. */
function startWaiting(): void {
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    drainOthers(next.backend)
    next.start()
  }
}

/** Blocks until everything that was submitted has ended, or is next in the line of `backend`. */
export function settleOthers(backend: Backend): void {
  startWaiting()
  drainOthers(backend)
}

/** Blocks until everything that was submitted has ended. */
export function settleAll(): void {
  startWaiting()
  drainAll()
}
