"""What many serve a model with: PyTorch in a handler of FastAPI, on uvicorn. Says its port in the first line."""

import json
import socket
import sys

import torch
import uvicorn
from fastapi import FastAPI, Request, Response
from torch import nn

nets = {
    "MLP": lambda: nn.Sequential(
        nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10)
    ),
    "CNN": lambda: nn.Sequential(
        *(nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(64 * 7 * 7, 128), nn.ReLU(), nn.Linear(128, 10)),
    ),
}

torch.set_num_threads(1)
# Where it cannot run it says so in each call, which takes longer than the call.
torch.backends.nnpack.set_flags(False)
model = nets[sys.argv[1]]().eval()
app = FastAPI()
LENGTH = "inference-header-content-length"


@app.post("/v2/models/net/infer")
async def infer(request: Request) -> Response:
    body = await request.body()
    length = int(request.headers[LENGTH])
    shape = json.loads(body[:length])["inputs"][0]["shape"]
    with torch.inference_mode():
        answer = model(torch.frombuffer(bytearray(body[length:]), dtype=torch.float32).reshape(shape))
    data = answer.numpy().tobytes()
    output = {"name": "output", "datatype": "FP32", "shape": list(answer.shape)}
    output["parameters"] = {"binary_data_size": len(data)}
    head = json.dumps({"model_name": "net", "model_version": "1", "outputs": [output]}).encode()
    return Response(head + data, media_type="application/octet-stream", headers={LENGTH: str(len(head))})


listener = socket.socket()
listener.bind(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False, backlog=4096)).run(sockets=[listener])
