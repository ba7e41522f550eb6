/** For people: a bar on a terminal and lines elsewhere on stderr, results on stdout. */
import { progressBar } from '../../train/callbacks/progress-bar.ts'
import type { Reporter } from './reporter.ts'

export const terminalReporter = (): Reporter => ({
  callbacks: [progressBar()],
  note: (text) => void process.stderr.write(`${text}\n`),
  event() {},
  result: (text) => void process.stdout.write(`${text}\n`),
})
