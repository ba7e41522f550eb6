/** Runtimes, and what the smallest permissions are by which they load an addon. */
import { type Row, trainBoth, usual } from '../row.ts'
import { bun, deno, node, versionOf } from '../toolbox.ts'
import { electron } from './electron.ts'

const row = (title: string, ...command: string[]): Row => ({
  title,
  run: (setting) => trainBoth(usual(setting), command),
})

const permissions = {
  node: ['--permission', '--allow-fs-read=.', '--allow-addons'],
  deno: ['--allow-read=.', '--allow-ffi=node_modules/galvani', '--allow-env=GALVANI_*'],
}

export function runtimes(): Row[] {
  const nodes = ['node-20', 'node-22', 'node-24', 'node-26']
  const denoTitle = `Deno ${versionOf('@deno/linux-x64-glibc')}`
  return [
    ...nodes.map((name) => row(`Node ${versionOf(name)}`, node(name))),
    row(`Node ${versionOf('node-24')}, ${permissions.node.join(' ')}`, node('node-24'), ...permissions.node),
    row(`Bun ${versionOf('@oven/bun-linux-x64')}`, bun),
    row(`${denoTitle}, -A`, deno, 'run', '-A'),
    row(`${denoTitle}, ${permissions.deno.join(' ')}`, deno, 'run', '--no-prompt', ...permissions.deno),
    electron,
  ]
}
