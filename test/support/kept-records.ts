/** A sink that keeps all records. */
import type { RecordSink, RunRecord, RunRecords } from '../../lib/events/record.ts'

type Of<Type extends keyof RunRecords> = Extract<RunRecord, { type: Type }>

export class KeptRecords implements RecordSink {
  readonly records: RunRecord[] = []
  /** How often it was closed. */
  closed = 0

  write(record: RunRecord): void {
    this.records.push(record)
  }

  async flush(): Promise<void> {}

  async close(): Promise<void> {
    this.closed++
  }

  of<Type extends keyof RunRecords>(type: Type): Of<Type>[] {
    return this.records.filter((record): record is Of<Type> => record.type === type)
  }

  /** The numbers of a tag. */
  valuesOf(tag: string): number[] {
    return this.of('scalars').flatMap(({ values }) => (tag in values ? [values[tag]!] : []))
  }
}
