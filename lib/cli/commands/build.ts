/** `galvani build`: compiles the addon from the sources of the package, for machines without a prebuilt one. */
import type { Command } from 'commander'
import { build } from '../addon/build.ts'
import { countOf } from '../arguments.ts'

export function configure(command: Command): void {
  command
    .option('--out <file>', 'put it there, for GALVANI_ADDON to name, rather than into the package')
    .option('--jobs <number>', 'how many files are compiled at a time', countOf)
    .action(async (options: { out?: string; jobs?: number }) => {
      process.exitCode = await build(options)
    })
}
