/** Code in a process of its own, which may hang, or take all memory, and be ended. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** As long as no test takes that ends at all. */
const patience = 120_000

/** The lines that a process prints that runs `code`, an ES module. Rejects with what there was of them if it does not end. */
export async function linesOf(code: string, env: Record<string, string> = {}): Promise<string[]> {
  const args = ['--expose-gc', '--import', 'tsx', '--input-type=module', '--eval', code]
  const child = promisify(execFile)(process.execPath, args, {
    env: { ...process.env, ...env },
    timeout: patience,
    killSignal: 'SIGKILL',
    maxBuffer: 2 ** 24,
  })
  const { stdout } = await child.catch((error: Error & { stdout?: string; stderr?: string; killed?: boolean }) => {
    const what = error.killed ? 'did not end' : 'failed'
    throw new Error(`the process ${what} after:\n${error.stdout}\n${error.stderr}`)
  })
  return stdout.trim().split('\n')
}
