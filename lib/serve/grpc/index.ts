/** `galvani/serve/grpc`: the models of a service over gRPC. */
export type { ModelsByName, ModelVersions, RowLimit } from '../protocol/models.ts'
export { type GrpcServer, type ServeGrpcOptions, serveGrpc } from './serve-grpc.ts'
export {
  type GrpcCall,
  type GrpcHandler,
  type GrpcMethod,
  type GrpcService,
  type GrpcServiceOptions,
  type GrpcStatus,
  grpcService,
} from './service.ts'
