/** `galvani/serve/http`: the models of a service over HTTP. */

export type { ModelsByName, ModelVersions, RowLimit } from '../protocol/models.ts'
export { fastifyPlugin } from './fastify.ts'
export { type Handle, type HandlerLimits, type HandlerOptions, handler } from './handler.ts'
export type { TrainersByName } from './learning.ts'
export type { ModelChange } from './model-folder.ts'
export { type ServeOptions, type Service, serve } from './service.ts'
