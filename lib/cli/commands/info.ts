/** `galvani info`: what something is. */
import type { Command } from 'commander'
import '../../operations/methods.ts'
import { infoOf } from '../info/info.ts'

export function configure(command: Command): void {
  command
    .argument(
      '[path]',
      'a run, a configuration, a model, tensors (safetensors, checkpoints, npy, npz, pt), data; this machine unless given',
    )
    .option('--json', 'the same as JSON')
    .action(async (path: string | undefined, { json }: { json?: true }) => {
      const info = await infoOf(path)
      console.log(json ? JSON.stringify(info.json, null, 2) : info.lines.join('\n'))
    })
}
