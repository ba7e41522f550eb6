/** What scripts of the page find in the window. */
import type UPlot from 'uplot'
import type { ExportedRun } from '../protocol.ts'

declare global {
  const uPlot: typeof UPlot
  interface Window {
    galvaniExport?: readonly ExportedRun[]
  }
}
