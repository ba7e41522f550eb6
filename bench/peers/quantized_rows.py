"""onnxruntime's dynamic quantization on the net of `npm run bench -- quantize`: four layers of 1024 with relu between them.

    python bench/peers/quantized_rows.py [--seconds S] [BATCH...]

It needs onnx and onnxruntime. For each number of threads and rows it prints the median microseconds of a call: of float32, of
int8 with a scale for each output, and with one for all; in turn.
"""

import argparse
import os
import statistics
import tempfile
import time

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

LAYERS, UNITS = 4, 1024


def dense_net(random):
    nodes, weights, last = [], [], "x"
    for i in range(LAYERS):
        weight = random.normal(0, 0.03, (UNITS, UNITS)).astype(np.float32)
        weights += [numpy_helper.from_array(weight, f"w{i}"), numpy_helper.from_array(np.zeros(UNITS, np.float32), f"b{i}")]
        nodes += [helper.make_node("MatMul", [last, f"w{i}"], [f"product{i}"]), helper.make_node("Add", [f"product{i}", f"b{i}"], [f"sum{i}"])]
        last = f"sum{i}"
        if i + 1 < LAYERS:
            nodes.append(helper.make_node("Relu", [last], [f"y{i}"]))
            last = f"y{i}"
    rows = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["rows", UNITS]) for name in ("x", last)]
    graph = helper.make_graph(nodes, "dense", rows[:1], rows[1:], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def sessions_of(folder, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    names = ("float32", "int8 by output", "int8")
    return {name: onnxruntime.InferenceSession(os.path.join(folder, name), options, providers=["CPUExecutionProvider"]) for name in names}


def medians(sessions, x, seconds):
    times = {name: [] for name in sessions}
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times["int8"]) < 5:
        for name, session in sessions.items():
            begin = time.perf_counter()
            session.run(None, {"x": x})
            times[name].append(1e6 * (time.perf_counter() - begin))
    return {name: round(statistics.median(found), 1) for name, found in times.items()}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("batch", type=int, nargs="*", default=[1, 16, 64, 256])
    given = parser.parse_args()
    random = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        float32 = os.path.join(folder, "float32")
        onnx.save(dense_net(random), float32)
        for name, per_channel in (("int8 by output", True), ("int8", False)):
            quantize_dynamic(float32, os.path.join(folder, name), weight_type=QuantType.QInt8, per_channel=per_channel)
        for threads in (1, 2):
            sessions = sessions_of(folder, threads)
            for batch in given.batch:
                x = random.normal(0, 1, (batch, UNITS)).astype(np.float32)
                print(threads, "threads,", batch, "rows:", medians(sessions, x, given.seconds), flush=True)


if __name__ == "__main__":
    main()
