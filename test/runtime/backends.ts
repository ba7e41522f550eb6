import type { BackendName } from '../../lib/backend/active.ts'

export const backends: readonly BackendName[] = ['native', 'reference']
