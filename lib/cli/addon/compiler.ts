/** The C++ compiler of this machine, and how one is installed where there is none. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

export interface Compiler {
  readonly command: readonly [command: string, ...args: string[]]
  /** The first line of what it says of itself. */
  readonly version: string
}

/** A setting is as compilers' own tools read it: the name of a program, and what it is always given. */
const candidates = (env: NodeJS.ProcessEnv): string[][] =>
  env.CXX ? [env.CXX.trim().split(/\s+/)] : [['c++'], ['g++'], ['clang++']]

/** What CXX names, or the first of c++, g++ and clang++ that is on the PATH and runs. */
export function findCompiler(env: NodeJS.ProcessEnv = process.env): Compiler | undefined {
  for (const [command = '', ...args] of candidates(env)) {
    const { status, stdout } = spawnSync(command, [...args, '--version'], { encoding: 'utf8', env })
    if (status === 0) return { command: [command, ...args], version: stdout.split('\n')[0]!.trim() }
  }
  return undefined
}

/** By the program that installs packages: Debian and Ubuntu, Alpine, Fedora and Red Hat, openSUSE, Arch. */
const installers: Readonly<Record<string, string>> = {
  'apt-get': 'apt-get install g++',
  apk: 'apk add g++',
  dnf: 'dnf install gcc-c++',
  yum: 'yum install gcc-c++',
  zypper: 'zypper install gcc-c++',
  pacman: 'pacman -S gcc',
}

/** The command that brings a compiler here. */
export function compilerInstall(platform: NodeJS.Platform = process.platform, path = process.env.PATH ?? ''): string {
  if (platform === 'darwin') return 'xcode-select --install'
  const isHere = (name: string) => path.split(delimiter).some((folder) => existsSync(join(folder, name)))
  const found = Object.keys(installers).find(isHere)
  return found ? installers[found]! : `one of: ${Object.values(installers).join(', ')}`
}
