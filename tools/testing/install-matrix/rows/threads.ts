/** Threads and the end of a process, in every runtime. */
import { type Row, train, usual } from '../row.ts'
import { bun, deno, node, versionOf } from '../toolbox.ts'

const programs: Readonly<Record<string, readonly string[]>> = {
  'a worker': ['threads.mjs', '1'],
  'two workers': ['threads.mjs', '2'],
  'exit with work in flight': ['exit.mjs'],
}

export function threads(): Row[] {
  const runtimes: Record<string, readonly string[]> = {
    [`Node ${versionOf('node-20')}`]: [node('node-20')],
    [`Node ${versionOf('node-26')}`]: [node('node-26')],
    [`Bun ${versionOf('@oven/bun-linux-x64')}`]: [bun],
    [`Deno ${versionOf('@deno/linux-x64-glibc')}`]: [deno, 'run', '-A'],
  }
  return Object.entries(programs).flatMap(([title, program]) =>
    Object.entries(runtimes).map(
      ([name, runtime]): Row => ({
        title: `${title}, ${name}`,
        run: (setting) => train(usual(setting), [...runtime, ...program]),
      }),
    ),
  )
}
