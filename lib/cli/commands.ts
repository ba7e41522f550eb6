/** The commands of `galvani`, each a file that is loaded when it is called. */
import type { Command } from 'commander'

export interface CommandFile {
  /** Gives a command its arguments, its options and what it does. */
  configure(command: Command): void
}

interface CommandEntry {
  /** A line, without a full stop. */
  readonly summary: string
  readonly load: () => Promise<CommandFile>
}

/** In the order of `galvani --help`. */
export const commands: Readonly<Record<string, CommandEntry>> = {
  doctor: {
    summary: 'say what runs on this machine, or why it does not; the exit code is 0 where native code runs',
    load: () => import('./commands/doctor.ts'),
  },
  serve: {
    summary: 'serve the models of a folder over HTTP, until a signal ends it',
    load: () => import('./commands/serve.ts'),
  },
  build: {
    summary: 'compile the addon for this machine, by CXX or c++, g++ or clang++; nothing is downloaded',
    load: () => import('./commands/build.ts'),
  },
}
