/** npm run docs:cli: writes what `--help` says into docs/cli.md. */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { commands } from '../lib/cli/commands.ts'
import { programOf } from '../lib/cli/program.ts'

const path = fileURLToPath(new URL('../docs/cli.md', import.meta.url))
const mark = '<!-- help -->'
const width = 110

/** A block for each command. */
async function helpOfAll(): Promise<string> {
  const files = Object.entries(commands).map(async ([name, { load }]) => [name, await load()] as const)
  const program = programOf(Object.fromEntries(await Promise.all(files)))
  const blocks = program.commands.map((command) => {
    const text = command.configureHelp({ helpWidth: width }).helpInformation().trimEnd()
    return `### galvani ${command.name()}\n\n\`\`\`text\n${text.replaceAll(/ +$/gm, '')}\n\`\`\`\n`
  })
  return blocks.join('\n')
}

/** The document as it is to be. */
export async function documentWithHelp(): Promise<string> {
  const before = readFileSync(path, 'utf8').split(mark)[0]!
  return `${before}${mark}\n\n${await helpOfAll()}`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(path, await documentWithHelp())
