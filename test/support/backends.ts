/** The native backend under test, where it is built. A build that does not load is an error, not a reason to skip. */
import type { BackendName } from '../../lib/backend/active.ts'
import { NativeLoadError, notThere } from '../../lib/backend/addon-search.ts'
import { loadNative, type NativeBackend } from '../../lib/backend/native.ts'

function loadIfBuilt(): NativeBackend | null {
  try {
    return loadNative()
  } catch (error) {
    if (error instanceof NativeLoadError && error.tried.every(({ failure }) => failure === notThere)) return null
    throw error
  }
}

export const native: NativeBackend | null = loadIfBuilt()

/** The backends that can be chosen. */
export const backendNames: readonly BackendName[] = native === null ? ['reference'] : ['reference', 'native']

/** The instruction sets that this machine can run; none where the addon is not built. */
export const nativeIsas: readonly string[] = native?.info().supportedIsas ?? []
