"""Elementwise functions, reductions and softmax in JAX, torch and TensorFlow beside Galvani's steps, on two threads.

    python kernel_rows.py [--rounds N] [--seconds S] [--peers jax,torch,tensorflow] [ROW...]

Takes turns: Galvani (build-cmake/release/galvani_rows_bench, from `npm run native:bench -- rows_bench`), then each peer in a
process of its own, and so on; prints the median of the rounds in nanoseconds per element. Galvani's are runs of prepared
programs without a crossing from Node; the peers' are calls from Python.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "2")

HERE = os.path.dirname(os.path.abspath(__file__))
OURS = os.path.join(HERE, "../../build-cmake/release/galvani_rows_bench")
PEERS = ["jax", "torch", "tensorflow"]
SIZES = [10_000, 1_000_000]
UNARY = ["relu", "leakyRelu", "exp", "sigmoid", "tanh", "gelu", "gelu, tanh"]
WIDE, NARROW = (1024, 1000), (128, 10)

# By name: the function of a peer, and the shape of x.
ROWS = {f"{name} {n}": (name, (n,)) for n in SIZES for name in [*UNARY, "add", "sum"]}
ROWS |= {
    f"{name} 1024x1000": (name, WIDE)
    for name in ["+ row", "+ column", "softmax", "logSoftmax", "mean of columns", "mean of rows"]
}
ROWS |= {
    f"{name} {rows}x{columns}": (name, (rows, columns))
    for name in ["cross entropy", "cross entropy and gradient"]
    for rows, columns in [WIDE, NARROW]
}
ROWS["softmax 128x10"] = ("softmax", NARROW)


def inputs(name, shape):
    import numpy as np

    random = np.random.default_rng(1)
    x = random.uniform(-2, 2, shape).astype(np.float32)
    if name == "add":
        return x, x + 1
    if name == "+ row":
        return x, x[0].copy()
    if name == "+ column":
        return x, x[:, :1].copy()
    if name.startswith("cross entropy"):
        return x, random.integers(0, shape[1], shape[0])
    return (x,)


def jax_call(name, arrays):
    import jax
    import jax.numpy as jnp

    def loss(x, y):
        return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(x), y[:, None], axis=1))

    functions = {
        "relu": jax.nn.relu,
        "leakyRelu": jax.nn.leaky_relu,
        "exp": jnp.exp,
        "sigmoid": jax.nn.sigmoid,
        "tanh": jnp.tanh,
        "gelu": lambda x: jax.nn.gelu(x, approximate=False),
        "gelu, tanh": lambda x: jax.nn.gelu(x, approximate=True),
        "add": jnp.add,
        "+ row": jnp.add,
        "+ column": jnp.add,
        "sum": jnp.sum,
        "softmax": jax.nn.softmax,
        "logSoftmax": jax.nn.log_softmax,
        "mean of columns": lambda x: jnp.mean(x, 0),
        "mean of rows": lambda x: jnp.mean(x, 1),
        "cross entropy": loss,
        "cross entropy and gradient": jax.value_and_grad(loss),
    }
    run = jax.jit(functions[name])
    arrays = [jnp.asarray(a) for a in arrays]
    return lambda: jax.block_until_ready(run(*arrays))


def torch_call(name, arrays):
    import torch
    from torch.nn import functional

    torch.set_num_threads(2)
    tensors = [torch.from_numpy(a) for a in arrays]
    if name == "cross entropy and gradient":
        x = tensors[0].requires_grad_()
        return lambda: torch.autograd.grad(functional.cross_entropy(x, tensors[1]), x)
    functions = {
        "relu": torch.relu,
        "leakyRelu": functional.leaky_relu,
        "exp": torch.exp,
        "sigmoid": torch.sigmoid,
        "tanh": torch.tanh,
        "gelu": functional.gelu,
        "gelu, tanh": lambda x: functional.gelu(x, approximate="tanh"),
        "add": torch.add,
        "+ row": torch.add,
        "+ column": torch.add,
        "sum": torch.sum,
        "softmax": lambda x: torch.softmax(x, 1),
        "logSoftmax": lambda x: torch.log_softmax(x, 1),
        "mean of columns": lambda x: torch.mean(x, 0),
        "mean of rows": lambda x: torch.mean(x, 1),
        "cross entropy": functional.cross_entropy,
    }

    def call():
        with torch.inference_mode():
            functions[name](*tensors)

    return call


def tensorflow_call(name, arrays):
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(2)
    tf.config.threading.set_inter_op_parallelism_threads(2)

    def loss(x, y):
        return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, x))

    def loss_and_gradient(x, y):
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = loss(x, y)
        return value, tape.gradient(value, x)

    functions = {
        "relu": tf.nn.relu,
        "leakyRelu": lambda x: tf.nn.leaky_relu(x, 0.01),
        "exp": tf.exp,
        "sigmoid": tf.sigmoid,
        "tanh": tf.tanh,
        "gelu": tf.nn.gelu,
        "gelu, tanh": lambda x: tf.nn.gelu(x, approximate=True),
        "add": tf.add,
        "+ row": tf.add,
        "+ column": tf.add,
        "sum": tf.reduce_sum,
        "softmax": tf.nn.softmax,
        "logSoftmax": tf.nn.log_softmax,
        "mean of columns": lambda x: tf.reduce_mean(x, 0),
        "mean of rows": lambda x: tf.reduce_mean(x, 1),
        "cross entropy": loss,
        "cross entropy and gradient": loss_and_gradient,
    }
    run = tf.function(functions[name])
    arrays = [tf.constant(a) for a in arrays]
    return lambda: run(*arrays)


CALLS = {"jax": jax_call, "torch": torch_call, "tensorflow": tensorflow_call}


def median_nanoseconds(call, seconds):
    """The median time of a call, of as many at a time as take a fifth of a millisecond."""
    call()
    start, calls = time.perf_counter(), 0
    while time.perf_counter() - start < seconds / 4:
        call()
        calls += 1
    batch = max(1, int(calls * 2e-4 / (seconds / 4)))
    times = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 5:
        start = time.perf_counter()
        for _ in range(batch):
            call()
        times.append((time.perf_counter() - start) / batch)
    return 1e9 * statistics.median(times)


def measure_peer(peer, rows, seconds):
    for row in rows:
        name, shape = ROWS[row]
        arrays = inputs(name, shape)
        each = median_nanoseconds(CALLS[peer](name, arrays), seconds) / arrays[0].size
        print(json.dumps({"row": row, "threads": 2, "nanoseconds": each}), flush=True)


def reports(command):
    output = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    lines = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    return {line["row"]: line["nanoseconds"] for line in lines if line["threads"] == 2}


def compare(rows, peers, rounds, seconds):
    times = {(row, who): [] for row in rows for who in ["galvani", *peers]}
    for _ in range(rounds):
        commands = {"galvani": [OURS, "--json", *rows]}
        commands |= {peer: [sys.executable, __file__, "--measure", peer, "--seconds", str(seconds), *rows] for peer in peers}
        for who, command in commands.items():
            for row, nanoseconds in reports(command).items():
                if row in rows:
                    times[row, who].append(nanoseconds)
    print(f"{'nanoseconds per element':40}" + "".join(f"{who:>12}" for who in ["galvani", *peers]) + f"{'best / ours':>14}")
    for row in rows:
        medians = [statistics.median(times[row, who] or [float("nan")]) for who in ["galvani", *peers]]
        best = min(medians[1:], default=float("nan"))
        print(f"{row:40}" + "".join(f"{m:12.4f}" for m in medians) + f"{best / medians[0]:14.2f}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("rows", nargs="*")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.2)
    parser.add_argument("--peers", default=",".join(PEERS))
    parser.add_argument("--measure", choices=PEERS)
    arguments = parser.parse_args()
    rows = [row for row in ROWS if not arguments.rows or any(part in row for part in arguments.rows)]
    if arguments.measure:
        measure_peer(arguments.measure, rows, arguments.seconds)
    else:
        compare(rows, arguments.peers.split(","), arguments.rounds, arguments.seconds)


main()
