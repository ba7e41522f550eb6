/** The commands of `galvani`, each a file that is loaded when it is called. */
import type { Command } from 'commander'

export interface CommandFile {
  /**
   * Gives a command its arguments, its options and what it does.
   * @param whole the program with all that its commands have
   */
  configure(command: Command, whole: () => Promise<Command>): void
}

interface CommandEntry {
  /** A line, without a full stop. */
  readonly summary: string
  readonly load: () => Promise<CommandFile>
}

/** In the order of `galvani --help`. */
export const commands: Readonly<Record<string, CommandEntry>> = {
  train: {
    summary: 'train what a configuration says, and keep it in the folder of a run',
    load: () => import('./commands/train.ts'),
  },
  evaluate: {
    summary: 'say how good a model is on data',
    load: () => import('./commands/evaluate.ts'),
  },
  predict: {
    summary: 'say what a model makes of rows: of files, or of stdin',
    load: () => import('./commands/predict.ts'),
  },
  export: {
    summary: 'write a model as ONNX, or its parameters as safetensors',
    load: () => import('./commands/export.ts'),
  },
  info: {
    summary: 'say what is in a run, a model or a file of data, or what this machine is',
    load: () => import('./commands/info.ts'),
  },
  bench: {
    summary: 'measure kernels and training steps here, beside what the machine can do at best',
    load: () => import('./commands/bench.ts'),
  },
  board: {
    summary: 'serve the page of a folder of runs to this machine',
    load: () => import('./commands/board.ts'),
  },
  new: {
    summary: 'make a project that trains at once',
    load: () => import('./commands/new.ts'),
  },
  completion: {
    summary: 'print what completes commands and options in a shell',
    load: () => import('./commands/completion.ts'),
  },
  doctor: {
    summary: 'say what runs on this machine, or why it does not; the exit code is 0 where native code runs',
    load: () => import('./commands/doctor.ts'),
  },
  serve: {
    summary: 'serve the models of a folder over HTTP and gRPC, until a signal ends it',
    load: () => import('./commands/serve.ts'),
  },
  build: {
    summary: 'compile the addon for this machine, by CXX or c++, g++ or clang++; nothing is downloaded',
    load: () => import('./commands/build.ts'),
  },
}
