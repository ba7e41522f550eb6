/** `galvani board`: the page of a folder of runs. */
import { existsSync } from 'node:fs'
import type { Command } from 'commander'
import { serveBoard } from '../../board/index.ts'
import { portOf } from '../arguments.ts'
import { CommandError, exitCodes } from '../exit.ts'

export function configure(command: Command): void {
  command
    .argument('[folder]', 'with runs in it, however deep', 'runs')
    .option('--port <number>', '6007 unless given; 0 is any that is free', portOf)
    .action(async (folder: string, { port }: { port?: number }) => {
      if (!existsSync(folder))
        throw new CommandError(`there is no folder ${folder}`, {
          help: 'galvani train makes runs/<name>; event files of TensorBoard do as well',
          code: exitCodes.usage,
        })
      const board = await serveBoard(folder, port === undefined ? {} : { port })
      console.log(board.url)
      const end = (code: number) => () => void board.close().then(() => process.exit(code))
      process.once('SIGINT', end(exitCodes.ok))
      process.once('SIGTERM', end(exitCodes.ok))
    })
}
