/** Runs a script of this folder in a process of its own. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** How long it may take: longer in npm run test:long. */
const minutes = 2 + Number(process.env.GALVANI_TEST_MINUTES ?? 0)

export interface Outcome {
  code: number | null
  lines: string[]
  errors: string
}

export function run(script: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  const file = fileURLToPath(new URL(`${script}.ts`, import.meta.url))
  const options = { env: { ...process.env, ...env }, timeout: 60_000 * minutes }
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      ['--expose-gc', '--import', 'tsx', file, ...args],
      options,
      (_, out, errors) => {
        resolve({ code: child.exitCode, lines: out.split('\n').filter(Boolean), errors })
      },
    )
  })
}

export async function report<T>(...args: Parameters<typeof run>): Promise<T[]> {
  const { code, lines, errors } = await run(...args)
  if (code !== 0) throw new Error(`exit code ${code}\n${errors}`)
  return lines.map((line) => JSON.parse(line))
}
