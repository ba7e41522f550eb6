/** Runs before each file of tests that shares modules with others: it begins as if it had loaded them itself. */
import { setBackend } from '../lib/backend/active.ts'
import { setSeed } from '../lib/tensor/random.ts'
import { backendNames } from './support/backends.ts'

setBackend(backendNames.at(-1)!)
setSeed(0)
