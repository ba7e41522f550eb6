/** What `galvani` is called with: finds the command, of which alone the file is loaded, and runs it. */
import { Command, CommanderError } from 'commander'
import { version } from '../base/version.ts'
import { type CommandFile, commands } from './commands.ts'
import { exitCodes, fail, guardOutput, setDebugging } from './exit.ts'

const hint = (command: string) => `${command} --help shows what there is`

/** Errors in what was typed are told as all others are. */
function quiet(command: Command, path: string): Command {
  return command.exitOverride().configureOutput({
    outputError: (text, write) => write(`galvani: ${text.replace(/^error: /, '').trim()}; ${hint(path)}\n`),
  })
}

/** The words that are no options: which of them names a command is known before options are. */
const namedIn = (args: readonly string[]): string | undefined => {
  const [first, second] = args.filter((arg) => !arg.startsWith('-'))
  return first === 'help' ? second : first
}

/** The program with all commands by name, and with the arguments and options of those that are loaded. */
export function programOf(loaded: Readonly<Record<string, CommandFile>>): Command {
  const program = quiet(new Command('galvani'), 'galvani')
    .description('Neural networks in Node.js')
    .version(version)
    .option('--debug', 'show where an error comes from (GALVANI_DEBUG=1)')
    .on('option:debug', setDebugging)
  for (const [name, { summary }] of Object.entries(commands)) {
    const command = quiet(program.command(name), `galvani ${name}`).description(summary)
    // Also behind the name of the command.
    command.option('--debug', 'show where an error comes from').on('option:debug', setDebugging)
    loaded[name]?.configure(command, wholeProgram)
  }
  return program
}

async function wholeProgram(): Promise<Command> {
  const files = Object.entries(commands).map(async ([name, { load }]) => [name, await load()] as const)
  return programOf(Object.fromEntries(await Promise.all(files)))
}

export async function main(args: readonly string[]): Promise<void> {
  guardOutput()
  try {
    const name = namedIn(args)
    const known = name !== undefined && Object.hasOwn(commands, name) ? name : undefined
    const loaded = known === undefined ? {} : { [known]: await commands[known]!.load() }
    await programOf(loaded).parseAsync([...args], { from: 'user' })
  } catch (error) {
    // It was told by then, or is a text that was asked for.
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
    else fail(error)
  }
}
