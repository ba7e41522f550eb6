/** Package managers. Where no Node is named, it is the one that runs this. */
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeMachine } from '../machine.ts'
import { install, installByNpm, type Row, trainBoth } from '../row.ts'
import { bun, node, tool, versionOf } from '../toolbox.ts'

/** What the package promises: native speed in five seconds, those of its installation among them. */
const atOnce = ({ title, run }: Row): Row => ({
  title,
  run(setting) {
    const outcome = run(setting)
    const seconds = outcome.installSeconds + outcome.runSeconds
    if (seconds <= 5) return outcome
    throw new Error(`expected an installed package that has trained in 5 s, got ${seconds.toFixed(1)} s`)
  },
})

const offline = ['--offline', '--ignore-scripts']

const npm = (name: string, runtime?: string): Row => ({
  title: `npm ${versionOf(name)}`,
  run: ({ tarball, folder }) => trainBoth(installByNpm(makeMachine(folder, { node: runtime }), tarball, name)),
})

/** One that adds a tarball to the project by a command. */
const adding = (title: string, command: readonly string[], runtime?: string): Row => ({
  title,
  run: ({ tarball, folder }) => trainBoth(install(makeMachine(folder, { node: runtime }), [...command, tarball])),
})

const pnpm = (name: string, command: readonly string[], runtime?: string): Row =>
  adding(`pnpm ${versionOf(name)}`, [...command, 'add', ...offline], runtime)

const settings = ['enableNetwork: false', 'enableScripts: false', 'enableTelemetry: false']
const berry = ['node', tool('@yarnpkg/cli-dist/bin/yarn.js')]

function unplugged(project: string): string {
  const folder = join(project, '.yarn', 'unplugged')
  return join(folder, readdirSync(folder)[0]!, 'node_modules', 'galvani')
}

const yarn = (linker: string, locate?: typeof unplugged): Row => ({
  title: `yarn ${versionOf('@yarnpkg/cli-dist')}, ${linker}`,
  run({ tarball, folder }) {
    const machine = makeMachine(folder)
    writeFileSync(join(machine.project, '.yarnrc.yml'), [`nodeLinker: ${linker}`, ...settings, ''].join('\n'))
    writeFileSync(join(machine.project, 'yarn.lock'), '')
    return trainBoth(install(machine, [...berry, 'add', `galvani@file:${tarball}`], locate), [...berry, 'node'])
  },
})

export const managers = (): Row[] =>
  [
    npm('npm-10'),
    npm('npm-11'),
    npm('npm-12', node('node-24')),
    pnpm('pnpm-10', ['node', tool('pnpm-10/bin/pnpm.cjs')]),
    pnpm('pnpm-11', ['node', tool('pnpm-11/bin/pnpm.mjs')], node('node-24')),
    pnpm('@pnpm/exe.linux-x64', [tool('@pnpm/exe.linux-x64/pnpm')], node('node-24')),
    adding(`yarn ${versionOf('yarn')}`, ['node', tool('yarn/bin/yarn.js'), 'add', ...offline]),
    yarn('node-modules'),
    yarn('pnp', unplugged),
    adding(`Bun ${versionOf('@oven/bun-linux-x64')}`, [bun, 'add', '--ignore-scripts']),
  ].map(atOnce)
