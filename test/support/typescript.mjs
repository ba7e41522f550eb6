/** Has Node.js load TypeScript in this thread and, by `--import`, in every worker, which `--import tsx` does not. */
import { register } from 'tsx/esm/api'

register()
