/** `galvani doctor`: what runs here, or why it does not. */
import type { Command } from 'commander'
import { diagnose, textOf } from '../addon/doctor.ts'

export function configure(command: Command): void {
  command.option('--json', 'the same as JSON').action(async ({ json }: { json?: true }) => {
    const diagnosis = await diagnose()
    console.log(json ? JSON.stringify(diagnosis, null, 2) : textOf(diagnosis))
    process.exitCode = diagnosis.native ? 0 : 1
  })
}
