/** A row of the matrix: one way to install the package and to use it. */
import { cpSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { checkXor, copyXor, type XorReport } from '../xor.ts'
import { type Machine, makeMachine, type RunOptions } from './machine.ts'
import { tool } from './toolbox.ts'

export interface Setting {
  readonly tarball: string
  /** An empty folder. */
  readonly folder: string
}

export interface Outcome {
  readonly report: XorReport
  readonly installSeconds: number
  /** From the start of the program that trains to its end. */
  readonly runSeconds: number
  /** What the installed package takes on disk. */
  readonly bytes: number
  readonly note?: string
}

export interface Row {
  readonly title: string
  run(setting: Setting): Outcome
}

/** A machine in whose project the package is installed, beside the programs. */
export interface Installation extends Machine, Pick<Outcome, 'installSeconds' | 'bytes'> {
  /** The folder of the package. */
  readonly installed: string
}

function timed<T>(action: () => T): [result: T, seconds: number] {
  const start = performance.now()
  const result = action()
  return [result, (performance.now() - start) / 1000]
}

const bytesIn = (folder: string): number =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((path) => statSync(join(folder, path)))
    .reduce((sum, found) => sum + (found.isFile() ? found.size : 0), 0)

const inNodeModules = (project: string) => join(project, 'node_modules', 'galvani')

/** Installs by a command; `locate` finds the package in the project then. */
export function install(machine: Machine, command: readonly string[], locate = inNodeModules): Installation {
  const [, installSeconds] = timed(() => machine.run(command))
  copyXor(machine.project)
  cpSync(fileURLToPath(new URL('programs', import.meta.url)), machine.project, { recursive: true })
  const installed = locate(machine.project)
  return { ...machine, installSeconds, installed, bytes: bytesIn(installed) }
}

const quietly = ['--offline', '--ignore-scripts', '--no-audit', '--no-fund']

/** Installs by an npm of the toolbox. */
export const installByNpm = (machine: Machine, tarball: string, npm = 'npm-11'): Installation =>
  install(machine, ['node', tool(`${npm}/bin/npm-cli.js`), 'install', ...quietly, tarball])

/** A new project in which the package was installed by npm. */
export const usual = ({ tarball, folder }: Setting, options?: Parameters<typeof makeMachine>[1]): Installation =>
  installByNpm(makeMachine(folder, options), tarball)

/** Runs a program that trains. */
export function train(installation: Installation, command: readonly string[], options?: RunOptions): Outcome {
  const [output, runSeconds] = timed(() => installation.run(command, options))
  const { installSeconds, bytes } = installation
  return { report: checkXor(output), installSeconds, runSeconds, bytes }
}

/** As an ES module, then as CommonJS, which is to come to the same. */
export function trainBoth(installation: Installation, runtime: readonly string[] = ['node']): Outcome {
  const outcome = train(installation, [...runtime, 'xor.mjs'])
  const { report } = train(installation, [...runtime, 'xor.cjs'])
  if (report.bits === outcome.report.bits) return outcome
  throw new Error(`require trains to other bits than import: ${report.bits}, ${outcome.report.bits}`)
}
