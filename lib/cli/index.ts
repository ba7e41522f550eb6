#!/usr/bin/env node
/** The command `galvani`. */
import { Command, InvalidArgumentError } from 'commander'
import { version } from '../base/version.ts'
import { BuildError, build } from './build.ts'
import { diagnose, textOf } from './doctor.ts'

function countOf(text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new InvalidArgumentError('expected an integer from 1.')
  return Number(text)
}

const program = new Command('galvani').description('Neural networks in Node.js').version(version)

program
  .command('doctor')
  .description('say what runs on this machine, or why it does not; the exit code is 0 where native code runs')
  .option('--json', 'the same as JSON')
  .action(async ({ json }: { json?: true }) => {
    const diagnosis = await diagnose()
    console.log(json ? JSON.stringify(diagnosis, null, 2) : textOf(diagnosis))
    process.exitCode = diagnosis.native ? 0 : 1
  })

program
  .command('build')
  .description('compile the addon for this machine, by CXX or c++, g++ or clang++; nothing is downloaded')
  .option('--out <file>', 'put it there, for GALVANI_ADDON to name, rather than into the package')
  .option('--jobs <number>', 'how many files are compiled at a time', countOf)
  .action(async (options: { out?: string; jobs?: number }) => {
    process.exitCode = await build(options)
  })

program.parseAsync().catch((error: unknown) => {
  console.error(
    `galvani: ${error instanceof BuildError ? error.message : error instanceof Error ? error.stack : error}`,
  )
  process.exitCode = 1
})
