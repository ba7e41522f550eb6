/** This machine, as the library sees it. */
import { availableParallelism, cpus, totalmem } from 'node:os'
import { backendInfo } from '../../backend/active.ts'
import { version } from '../../base/version.ts'
import { bytesText } from '../text-table.ts'
import type { Info } from './info.ts'

export async function machineInfo(): Promise<Info> {
  const { backend, isa, supportedIsas, threads, threadsFrom } = backendInfo()
  const processor = cpus()[0]?.model.trim() ?? 'unknown'
  const processors = availableParallelism()
  const memory = totalmem()
  const rows = [
    ['galvani', version],
    ['node', process.versions.node],
    ['system', `${process.platform} ${process.arch}`],
    ['processor', `${processor}, ${processors} available`],
    ['memory', bytesText(memory)],
    ['backend', backend],
    ['instructions', `${isa} of ${supportedIsas.join(', ')}`],
    ['threads', `${threads} (${threadsFrom})`],
  ]
  return {
    lines: rows.map(([title, text]) => `${title!.padEnd(14)}${text}`),
    json: {
      ...{ kind: 'machine', galvani: version, node: process.versions.node, processor, processors, memory },
      ...{ platform: process.platform, arch: process.arch, backend, isa, supportedIsas, threads, threadsFrom },
    },
  }
}
