/** `galvani completion`: what completes commands and options in a shell. */
import { Argument, type Command } from 'commander'
import { completionFor, shells } from '../completion/scripts.ts'

export function configure(command: Command, whole: () => Promise<Command>): void {
  command.addArgument(new Argument('<shell>').choices(shells)).action(async (shell: (typeof shells)[number]) => {
    console.log(completionFor(shell, await whole()))
  })
}
