/** The machine of a user: no network, nothing on PATH but a runtime, an empty home, and an empty project. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Namespaces of a command's own, in which there is no network and a folder can be mounted anew, where the system permits that. */
const unshare = ['unshare', '--map-root-user', '--net', '--mount']
export const isNamespaced = spawnSync(unshare[0]!, [...unshare.slice(1), 'true']).status === 0

/** Mounts its first argument once more, read-only, and goes on with the command that follows. */
const mountReadOnly = ['sh', '-c', 'mount --bind -o ro "$0" "$0" && exec "$@"']

export interface RunOptions {
  /** The folder of the project, unless given. */
  readonly cwd?: string
  /** What is undefined is not set. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** A folder in which nothing can be written. */
  readonly readOnly?: string
}

export interface Machine {
  /** The folder of an empty project. */
  readonly project: string
  /** What the command printed. Where it fails, an error with all of that. */
  run(command: readonly string[], options?: RunOptions): string
}

/** Makes one in an empty folder. `node` is the only program on its PATH, `name` the name of the project's folder. */
export function makeMachine(folder: string, { node = process.execPath, name = 'project' } = {}): Machine {
  const [bin, home, project] = ['bin', 'home', name].map((part) => join(folder, part)) as [string, string, string]
  for (const path of [bin, home, project]) mkdirSync(path)
  symlinkSync(node, join(bin, 'node'))
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'project', private: true }))
  // The registry is out of reach even where no namespace keeps the network away.
  const base = { PATH: bin, HOME: home, LANG: 'C.UTF-8', NO_COLOR: '1', npm_config_registry: 'http://127.0.0.1:9/' }

  function run(command: readonly string[], { cwd = project, env = {}, readOnly }: RunOptions = {}): string {
    if (readOnly && !isNamespaced)
      throw new Error('a read-only folder needs a namespace, which this system does not permit')
    const assignments = Object.entries({ ...base, ...env })
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => `${name}=${value}`)
    const [file, ...args] = [
      ...(isNamespaced ? unshare : []),
      ...(readOnly ? [...mountReadOnly, readOnly] : []),
      ...['env', '-i', ...assignments, ...command],
    ] as [string, ...string[]]
    const { status, signal, stdout, stderr } = spawnSync(file, args, { cwd, encoding: 'utf8', timeout: 300_000 })
    if (status === 0) return stdout
    throw new Error(`${command.join(' ')} ended with ${signal ?? status}:\n${stdout}${stderr}`)
  }
  return { project, run }
}
