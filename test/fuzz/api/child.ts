import { tryCases } from '../child.ts'
import { tryCase } from './case.ts'

await tryCases(tryCase)
