"""Asks `galvani serve` over gRPC and over HTTP as clients in Python do: with numpy arrays, by Google's grpcio, without a line of ours between.

python3 -m venv venv && venv/bin/pip install grpcio grpcio-tools numpy
npm run build:js && venv/bin/python tools/testing/serve/open_inference.py [open_inference_grpc.proto]

The definitions are the public ones where their file is given, else ours.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import urllib.request

import grpc
import numpy as np
from grpc_tools import protoc

root = pathlib.Path(__file__).resolve().parents[3]
folder = pathlib.Path(tempfile.mkdtemp())


def definitions():
    ours = (root / "lib/serve/grpc/inference.proto").read_text()
    text = pathlib.Path(sys.argv[1]).read_text() if len(sys.argv) > 1 else ours
    text = text.replace("bytes contents = 5", "InferTensorContents contents = 5")
    (folder / "inference.proto").write_text(text)
    out = str(folder)
    assert protoc.main(["", f"-I{out}", f"--python_out={out}", f"--grpc_python_out={out}", "inference.proto"]) == 0
    sys.path.insert(0, out)
    import inference_pb2
    import inference_pb2_grpc

    return inference_pb2, inference_pb2_grpc


def start():
    version = folder / "models/double/1"
    version.mkdir(parents=True)
    (version / "model.mjs").write_text(
        "export default { forward: (x) => x.mul(2), parameters: () => [] }\n"
        "export const serving = { inputShape: [3], maxBatch: 4 }\n"
    )
    command = ["node", "dist/cli.cjs", "serve", str(folder / "models"), "--port", "0", "--grpc-port", "0"]
    process = subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True)
    return process, process.stdout.readline().strip(), process.stdout.readline().strip().removeprefix("grpc://")


def over_grpc(address):
    pb, pb_grpc = definitions()
    stub = pb_grpc.GRPCInferenceServiceStub(grpc.insecure_channel(address))
    assert stub.ServerLive(pb.ServerLiveRequest()).live and stub.ServerReady(pb.ServerReadyRequest()).ready
    assert stub.ModelReady(pb.ModelReadyRequest(name="double", version="1")).ready
    print(stub.ServerMetadata(pb.ServerMetadataRequest()), stub.ModelMetadata(pb.ModelMetadataRequest(name="double")))
    x = np.array([[1, -2, 3.5], [4, 5, 6]], np.float32)

    def request(datatype, raw=None, **contents):
        tensor = pb.ModelInferRequest.InferInputTensor(name="x", datatype=datatype, shape=[2, 3])
        if contents:
            tensor.contents.CopyFrom(pb.InferTensorContents(**contents))
        return pb.ModelInferRequest(
            model_name="double", id="7", inputs=[tensor], raw_input_contents=[] if raw is None else [raw.tobytes()]
        )

    typed = stub.ModelInfer(request("FP32", fp32_contents=x.ravel()))
    assert typed.id == "7" and np.array_equal(typed.outputs[0].contents.fp32_contents, 2 * x.ravel())
    for datatype, dtype in {"FP16": "float16", "FP32": "float32", "FP64": "float64", "INT64": "int64"}.items():
        given = x.astype(dtype)
        raw = stub.ModelInfer(request(datatype, given)).raw_output_contents[0]
        assert np.array_equal(np.frombuffer(raw, np.float32).reshape(2, 3), 2 * given.astype(np.float32)), datatype
    for wrong in [request("FP32"), request("FP32", x[:1]), request("FP32", x, fp32_contents=x.ravel())]:
        try:
            stub.ModelInfer(wrong)
            raise AssertionError("it was taken")
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.INVALID_ARGUMENT, error
            print(error.details())


def over_http(url):
    """As bytes behind the JSON, both ways."""
    x = np.array([[1, -2, 3.5]], np.float32)
    tensor = {"name": "x", "datatype": "FP32", "shape": [1, 3], "parameters": {"binary_data_size": x.nbytes}}
    header = json.dumps({"inputs": [tensor], "parameters": {"binary_data_output": True}}).encode()
    headers = {"Inference-Header-Content-Length": str(len(header)), "Content-Type": "application/octet-stream"}
    request = urllib.request.Request(f"{url}/v2/models/double/infer", header + x.tobytes(), headers)
    with urllib.request.urlopen(request) as response:
        body, length = response.read(), int(response.headers["Inference-Header-Content-Length"])
    print(json.loads(body[:length]))
    assert np.array_equal(np.frombuffer(body[length:], np.float32).reshape(1, 3), 2 * x)


process, url, address = start()
try:
    over_grpc(address)
    over_http(url)
finally:
    process.terminate()
assert process.wait() == 0
print("all as expected")
