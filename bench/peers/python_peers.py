"""JAX, torch and TensorFlow: the rows of rows.ts on two threads. Prints a report as JSON on one line.

    python_peers.py jax|torch|tensorflow [SECONDS [ROW...]]

Inputs are resident; a call is one step, waited for. Epochs shuffle, and the shortest of those after the first counts.
"""

import copy
import gzip
import json
import os
import statistics
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "2")

import numpy as np

MLP = [784, 256, 128, 10]
WIDE = [784, 1024, 1024, 10]
TRAINING = {
    "step, batch 32, Adam": (MLP, 32, "adam"),
    "step, batch 128, Adam": (MLP, 128, "adam"),
    "step, batch 128, SGD": (MLP, 128, "sgd"),
    "step, batch 1024, SGD": (MLP, 1024, "sgd"),
    "wide step, batch 256, Adam": (WIDE, 256, "adam"),
}
INFERENCE = {f"inference, batch {batch}": batch for batch in (1, 16, 64, 256)}
TRANSFORMER = "transformer step"
GPT = "character GPT step"
RECURRENT = "LSTM step, batch 16, 64 steps"
LAYERS, FEATURES, HEADS, FEED_FORWARD, LENGTH, BATCH = 2, 128, 4, 512, 64, 16
CNN = "CNN step, batch 64, Adam"
NORMALIZED = "CNN with batch normalization, batch 128"
RESIDUAL = "ResNet-20, batch 64"
TINY = "tiny gradient"
EPOCH = "Fashion-MNIST epoch"
FASHION = os.environ.get("FASHION_MNIST", "/usr/share/datasets/fashion-mnist")


def median_microseconds(call, seconds):
    def run(limit):
        times = []
        end = time.perf_counter() + limit
        while True:
            start = time.perf_counter()
            call()
            now = time.perf_counter()
            times.append(1e6 * (now - start))
            if now >= end and len(times) >= 3:
                return times

    run(seconds / 3)
    return statistics.median(run(seconds))


def data(batch, columns):
    random = np.random.default_rng(1)
    return random.random((batch, columns), np.float32) - 0.5, (np.arange(batch) % 10).astype(np.int32)


def parameters_of(layers):
    random = np.random.default_rng(2)
    shapes = zip(layers, layers[1:])
    return [(random.normal(0, 0.05, s).astype(np.float32), np.zeros(s[1], np.float32)) for s in shapes]


def sequences():
    random = np.random.default_rng(1)
    return random.random((BATCH, LENGTH, FEATURES), np.float32) - 0.5, (np.arange(BATCH) % 10).astype(np.int32)


def transformer_parameters():
    """By name; those of an encoder layer are lists over the layers."""
    random = np.random.default_rng(2)

    def dense(a, b):
        return [random.normal(0, 0.05, (a, b)).astype(np.float32), np.zeros(b, np.float32)]

    def norm():
        return [np.ones(FEATURES, np.float32), np.zeros(FEATURES, np.float32)]

    def layer():
        return {"in": dense(FEATURES, 3 * FEATURES), "out": dense(FEATURES, FEATURES), "norm1": norm(),
                "up": dense(FEATURES, FEED_FORWARD), "down": dense(FEED_FORWARD, FEATURES), "norm2": norm()}

    return {"layers": [layer() for _ in range(LAYERS)], "classes": dense(FEATURES, 10)}


def encode(parameters, x, matmul, softmax, rsqrt, relu, mean, split, transpose, reshape):
    """The model in a library's own functions, for those that have no layer of it."""

    def dense(x, parameters):
        return matmul(x, parameters[0]) + parameters[1]

    def norm(x, parameters):
        centered = x - mean(x, -1, True)
        return centered * rsqrt(mean(centered * centered, -1, True) + 1e-5) * parameters[0] + parameters[1]

    def heads(x):
        return transpose(reshape(x, (BATCH, LENGTH, HEADS, FEATURES // HEADS)), (0, 2, 1, 3))

    for layer in parameters["layers"]:
        q, k, v = map(heads, split(dense(x, layer["in"])))
        weights = softmax(matmul(q, transpose(k, (0, 1, 3, 2))) * (FEATURES // HEADS) ** -0.5)
        mixed = reshape(transpose(matmul(weights, v), (0, 2, 1, 3)), (BATCH, LENGTH, FEATURES))
        x = norm(x + dense(mixed, layer["out"]), layer["norm1"])
        x = norm(x + dense(relu(dense(x, layer["up"])), layer["down"]), layer["norm2"])
    return dense(mean(x, 1, False), parameters["classes"])


def cnn_parameters():
    """Of the layers in turn; filters are [height, width, in, out]."""
    random = np.random.default_rng(2)
    shapes = [(3, 3, 1, 16), (3, 3, 16, 32), (7 * 7 * 32, 128), (128, 10)]
    return [(random.normal(0, 0.05, s).astype(np.float32), np.zeros(s[-1], np.float32)) for s in shapes]


def fashion():
    def read(name, header, shape):
        with gzip.open(os.path.join(FASHION, name)) as file:
            return np.frombuffer(file.read(), np.uint8, offset=header).reshape(shape)

    images = read("train-images-idx3-ubyte.gz", 16, (-1, 784)).astype(np.float32) / 255
    return images, read("train-labels-idx1-ubyte.gz", 8, (-1,)).astype(np.int32)


def shortest_epoch(epoch, epochs=4):
    times = []
    for _ in range(epochs):
        start = time.perf_counter()
        epoch()
        times.append(time.perf_counter() - start)
    return 1e6 * min(times[1:])


class Jax:
    def __init__(self):
        import jax
        import jax.numpy as jnp

        self.jax, self.jnp = jax, jnp

    def forward(self, parameters, x):
        for i, (w, b) in enumerate(parameters):
            x = x @ w + b
            if i < len(parameters) - 1:
                x = self.jax.nn.relu(x)
        return x

    def loss(self, parameters, x, y):
        log_p = self.jax.nn.log_softmax(self.forward(parameters, x))
        return -self.jnp.mean(self.jnp.take_along_axis(log_p, y[:, None], axis=1))

    def update(self, optimizer):
        jax, jnp = self.jax, self.jnp

        def sgd(parameters, state, gradients):
            return jax.tree.map(lambda p, g: p - 0.001 * g, parameters, gradients), state

        def adam(parameters, state, gradients):
            m, v, t = state
            t = t + 1
            m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, gradients)
            v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, gradients)
            rate, bias = 0.001 / (1 - 0.9**t), 1 - 0.999**t
            new = jax.tree.map(lambda p, m, v: p - rate * m / (jnp.sqrt(v / bias) + 1e-8), parameters, m, v)
            return new, (m, v, t)

        return adam if optimizer == "adam" else sgd

    def state(self, layers):
        parameters = self.jax.tree.map(self.jnp.asarray, parameters_of(layers))
        zeros = self.jax.tree.map(self.jnp.zeros_like, parameters)
        return [parameters, (zeros, self.jax.tree.map(self.jnp.zeros_like, parameters), self.jnp.float32(0))]

    def training(self, layers, batch, optimizer):
        update = self.update(optimizer)

        @self.partial_jit
        def step(parameters, state, x, y):
            value, gradients = self.jax.value_and_grad(self.loss)(parameters, x, y)
            return *update(parameters, state, gradients), value

        x, y = map(self.jnp.asarray, data(batch, layers[0]))
        held = self.state(layers)

        def call():
            held[0], held[1], value = step(held[0], held[1], x, y)
            self.jax.block_until_ready((value, held))

        return call

    def transformer(self):
        jax, jnp = self.jax, self.jnp
        update = self.update("adam")

        def loss(parameters, x, y):
            logits = encode(parameters, x, jnp.matmul, jax.nn.softmax, jax.lax.rsqrt, jax.nn.relu,
                            lambda x, axis, keep: jnp.mean(x, axis, keepdims=keep),
                            lambda x: jnp.split(x, 3, -1), jnp.transpose, jnp.reshape)
            return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], axis=1))

        @self.partial_jit
        def step(parameters, state, x, y):
            value, gradients = jax.value_and_grad(loss)(parameters, x, y)
            return *update(parameters, state, gradients), value

        parameters = jax.tree.map(jnp.asarray, transformer_parameters())
        m, v = (jax.tree.map(jnp.zeros_like, parameters) for _ in range(2))
        held = [parameters, (m, v, jnp.float32(0))]
        x, y = map(jnp.asarray, sequences())

        def call():
            held[0], held[1], value = step(held[0], held[1], x, y)
            jax.block_until_ready((value, held))

        return call

    def cnn(self):
        jax, jnp, lax = self.jax, self.jnp, self.jax.lax
        update = self.update("adam")

        def loss(parameters, x, y):
            x = x.reshape(-1, 28, 28, 1)
            for w, b in parameters[:2]:
                x = lax.conv_general_dilated(x, w, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")) + b
                x = lax.reduce_window(jax.nn.relu(x), -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
            log_p = jax.nn.log_softmax(self.forward(parameters[2:], x.reshape(x.shape[0], -1)))
            return -jnp.mean(jnp.take_along_axis(log_p, y[:, None], axis=1))

        @self.partial_jit
        def step(parameters, state, x, y):
            value, gradients = jax.value_and_grad(loss)(parameters, x, y)
            return *update(parameters, state, gradients), value

        parameters = jax.tree.map(jnp.asarray, cnn_parameters())
        m, v = (jax.tree.map(jnp.zeros_like, parameters) for _ in range(2))
        held = [parameters, (m, v, jnp.float32(0))]
        x, y = map(jnp.asarray, data(64, 784))

        def call():
            held[0], held[1], value = step(held[0], held[1], x, y)
            jax.block_until_ready((value, held))

        return call

    def partial_jit(self, fn):
        return self.jax.jit(fn, donate_argnums=(0, 1))

    def inference(self, batch):
        parameters = self.state(MLP)[0]
        forward = self.jax.jit(self.forward)
        x = self.jnp.asarray(data(batch, 784)[0])
        return lambda: forward(parameters, x).block_until_ready()

    def tiny(self):
        x = self.jnp.asarray([[1, 2, 3, 4], [4, 3, 2, 1]], self.jnp.float32)
        y = self.jnp.asarray([2, 0])
        parameters = self.state([4, 3])[0]
        gradient = self.jax.jit(self.jax.grad(self.loss))
        return lambda: self.jax.block_until_ready(gradient(parameters, x, y))

    def epoch(self):
        images, labels = map(self.jnp.asarray, fashion())
        update = self.update("adam")

        @self.partial_jit
        def step(parameters, state, images, labels, rows):
            gradients = self.jax.grad(self.loss)(parameters, images[rows], labels[rows])
            return update(parameters, state, gradients)

        held = self.state(MLP)

        def epoch():
            order = np.random.permutation(60000)
            for i in range(0, 60000, 128):
                held[0], held[1] = step(held[0], held[1], images, labels, order[i : i + 128])
            self.jax.block_until_ready(held)

        return epoch


class Torch:
    def __init__(self):
        import torch

        torch.set_num_threads(2)
        self.torch = torch

    def model(self, layers):
        nn = self.torch.nn
        modules = []
        for i, (a, b) in enumerate(zip(layers, layers[1:])):
            modules.append(nn.Linear(a, b))
            if i < len(layers) - 2:
                modules.append(nn.ReLU())
        return nn.Sequential(*modules)

    def optimizer(self, model, name):
        optim = self.torch.optim
        if name == "adam":
            return optim.Adam(model.parameters(), lr=0.001, fused=True)
        return optim.SGD(model.parameters(), lr=0.001, fused=True)

    def training(self, layers, batch, optimizer):
        model = self.model(layers)
        update = self.optimizer(model, optimizer)
        x, y = map(self.torch.from_numpy, data(batch, layers[0]))
        y = y.long()
        loss_of = self.torch.nn.functional.cross_entropy

        def call():
            update.zero_grad()
            loss_of(model(x), y).backward()
            update.step()

        return call

    def transformer(self):
        nn = self.torch.nn

        class Classifier(nn.Module):
            def __init__(self):
                super().__init__()
                layer = nn.TransformerEncoderLayer(FEATURES, HEADS, FEED_FORWARD, dropout=0, batch_first=True)
                self.encoder = nn.TransformerEncoder(layer, LAYERS)
                self.classes = nn.Linear(FEATURES, 10)

            def forward(self, x):
                return self.classes(self.encoder(x).mean(1))

        model = Classifier()
        update = self.optimizer(model, "adam")
        x, y = map(self.torch.from_numpy, sequences())
        y = y.long()

        def call():
            update.zero_grad()
            nn.functional.cross_entropy(model(x), y).backward()
            update.step()

        return call

    def gpt(self):
        torch, nn = self.torch, self.torch.nn
        classes, context, batch = 96, 64, 16

        class Gpt(nn.Module):
            def __init__(self):
                super().__init__()
                self.letters, self.places = nn.Embedding(classes, 128), nn.Embedding(context, 128)
                layer = nn.TransformerEncoderLayer(
                    128, 4, 512, dropout=0, activation="gelu", batch_first=True, norm_first=True)
                self.blocks = nn.TransformerEncoder(layer, 4, norm=nn.LayerNorm(128), enable_nested_tensor=False)
                self.mask = nn.Transformer.generate_square_subsequent_mask(context)

            def forward(self, tokens):
                x = self.letters(tokens) + self.places.weight
                return self.blocks(x, mask=self.mask, is_causal=True) @ self.letters.weight.T

        tokens = torch.from_numpy(np.random.default_rng(1).integers(0, classes, (batch, context)))
        model = Gpt()

        def step(forward):
            update = self.optimizer(model, "adam")

            def call():
                update.zero_grad()
                nn.functional.cross_entropy(forward(tokens).flatten(0, 1), tokens.flatten()).backward()
                update.step()

            return call

        return self.fastest([lambda: step(model), lambda: step(torch.compile(model))])

    def recurrent(self):
        model = self.torch.nn.LSTM(64, 128)
        update = self.optimizer(model, "sgd")
        x = self.torch.from_numpy(np.random.default_rng(1).random((64, 16, 64), np.float32) - 0.5)

        def call():
            update.zero_grad()
            model(x)[0].square().mean().backward()
            update.step()

        return call

    def cnn(self):
        nn = self.torch.nn
        model = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(7 * 7 * 32, 128), nn.ReLU(), nn.Linear(128, 10),
        )
        return self.image_step(model, (64, 1, 28, 28))

    def image_step(self, model, shape):
        """The fastest of the steps with channels first and last, compiled and not."""
        torch = self.torch
        x, y = map(torch.from_numpy, data(shape[0], int(np.prod(shape[1:]))))
        x, y = x.reshape(shape), y.long()

        def step(layout, compiled):
            own = copy.deepcopy(model).to(memory_format=layout)
            update = self.optimizer(own, "adam")
            prepared, images = torch.compile(own) if compiled else own, x.to(memory_format=layout)

            def call():
                update.zero_grad()
                torch.nn.functional.cross_entropy(prepared(images), y).backward()
                update.step()

            return call

        layouts = (torch.contiguous_format, torch.channels_last)
        return self.fastest(lambda: step(layout, compiled) for layout in layouts for compiled in (False, True))

    def fastest(self, makers):
        """The fastest call of those that they make."""
        times = {}
        for make in makers:
            try:
                call = make()
                times[call] = median_microseconds(call, 0.5)
            except self.torch._dynamo.exc.BackendCompilerFailed:  # without a C++ compiler
                continue
        return min(times, key=times.get)

    def normalized_convolution(self, a, b, kernel, stride=1):
        nn = self.torch.nn
        return [nn.Conv2d(a, b, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(b)]

    def normalized(self):
        nn = self.torch.nn
        model = nn.Sequential(
            *self.normalized_convolution(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2),
            *self.normalized_convolution(32, 32, 3), nn.ReLU(), nn.MaxPool2d(2),
            *self.normalized_convolution(32, 64, 3), nn.ReLU(),
            nn.Flatten(), nn.Linear(7 * 7 * 64, 10),
        )
        return self.image_step(model, (128, 1, 28, 28))

    def residual(self):
        nn, convolution = self.torch.nn, self.normalized_convolution

        class Block(nn.Module):
            def __init__(self, a, b):
                super().__init__()
                stride = 1 if a == b else 2
                self.main = nn.Sequential(*convolution(a, b, 3, stride), nn.ReLU(), *convolution(b, b, 3))
                self.shortcut = nn.Identity() if a == b else nn.Sequential(*convolution(a, b, 1, stride))

            def forward(self, x):
                return nn.functional.relu(self.main(x) + self.shortcut(x))

        widths = [(16, 16)] * 3 + [(16, 32)] + [(32, 32)] * 2 + [(32, 64)] + [(64, 64)] * 2
        model = nn.Sequential(
            *convolution(3, 16, 3), nn.ReLU(), *(Block(a, b) for a, b in widths),
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10),
        )
        return self.image_step(model, (64, 3, 32, 32))

    def inference(self, batch):
        model = self.model(MLP)
        x = self.torch.from_numpy(data(batch, 784)[0])

        def call():
            with self.torch.inference_mode():
                model(x)

        return call

    def tiny(self):
        torch = self.torch
        x = torch.tensor([[1.0, 2, 3, 4], [4, 3, 2, 1]])
        y = torch.tensor([2, 0])
        w, b = torch.randn(4, 3, requires_grad=True), torch.zeros(3, requires_grad=True)
        return lambda: torch.autograd.grad(torch.nn.functional.cross_entropy(x @ w + b, y), (w, b))

    def epoch(self):
        torch = self.torch
        images, labels = map(torch.from_numpy, fashion())
        labels = labels.long()
        model = self.model(MLP)
        update = self.optimizer(model, "adam")

        def epoch():
            order = torch.randperm(60000)
            for i in range(0, 60000, 128):
                rows = order[i : i + 128]
                update.zero_grad()
                torch.nn.functional.cross_entropy(model(images[rows]), labels[rows]).backward()
                update.step()

        return epoch


class TensorFlow:
    def __init__(self):
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(2)
        tf.config.threading.set_inter_op_parallelism_threads(2)
        self.tf = tf

    def model(self, layers):
        dense = self.tf.keras.layers.Dense
        hidden = [dense(units, activation="relu") for units in layers[1:-1]]
        return self.tf.keras.Sequential([self.tf.keras.Input((layers[0],)), *hidden, dense(layers[-1])])

    def training(self, layers, batch, optimizer):
        model = self.model(layers)
        return self.step(model, model.trainable_variables, data(batch, layers[0]), optimizer == "adam")

    def transformer(self):
        tf = self.tf
        parameters = tf.nest.map_structure(tf.Variable, transformer_parameters())

        def model(x):
            return encode(parameters, x, tf.matmul, tf.nn.softmax, tf.math.rsqrt, tf.nn.relu,
                          lambda x, axis, keep: tf.reduce_mean(x, axis, keepdims=keep),
                          lambda x: tf.split(x, 3, -1), tf.transpose, tf.reshape)

        return self.step(model, tf.nest.flatten(parameters), sequences(), True)

    def cnn(self):
        layers = self.tf.keras.layers
        model = self.tf.keras.Sequential([
            self.tf.keras.Input((784,)), layers.Reshape((28, 28, 1)),
            layers.Conv2D(16, 3, padding="same", activation="relu"), layers.MaxPool2D(2),
            layers.Conv2D(32, 3, padding="same", activation="relu"), layers.MaxPool2D(2),
            layers.Flatten(), layers.Dense(128, activation="relu"), layers.Dense(10),
        ])
        return self.step(model, model.trainable_variables, data(64, 784), True)

    def normalized_convolution(self, x, filters, kernel, stride=1):
        layers = self.tf.keras.layers
        x = layers.Conv2D(filters, kernel, stride, padding="same", use_bias=False)(x)
        return layers.BatchNormalization()(x)

    def normalized(self):
        layers = self.tf.keras.layers
        inputs = self.tf.keras.Input((784,))
        x = layers.Reshape((28, 28, 1))(inputs)
        for i, filters in enumerate((32, 32, 64)):
            x = layers.ReLU()(self.normalized_convolution(x, filters, 3))
            x = layers.MaxPool2D(2)(x) if i < 2 else x
        model = self.tf.keras.Model(inputs, layers.Dense(10)(layers.Flatten()(x)))
        return self.step(lambda x: model(x, training=True), model.trainable_variables, data(128, 784), True)

    def residual(self):
        layers, convolution = self.tf.keras.layers, self.normalized_convolution
        inputs = self.tf.keras.Input((32 * 32 * 3,))
        x = layers.ReLU()(convolution(layers.Reshape((32, 32, 3))(inputs), 16, 3))
        for filters in [16] * 3 + [32] * 3 + [64] * 3:
            stride = 1 if filters == x.shape[-1] else 2
            main = layers.ReLU()(convolution(x, filters, 3, stride))
            shortcut = x if stride == 1 else convolution(x, filters, 1, stride)
            x = layers.ReLU()(convolution(main, filters, 3) + shortcut)
        model = self.tf.keras.Model(inputs, layers.Dense(10)(layers.GlobalAveragePooling2D()(x)))
        return self.step(lambda x: model(x, training=True), model.trainable_variables, data(64, 32 * 32 * 3), True)

    def step(self, model, variables, arrays, adam):
        tf = self.tf
        m, v = ([tf.Variable(tf.zeros_like(x)) for x in variables] for _ in range(2))
        t = tf.Variable(0.0)
        x, y = map(tf.constant, arrays)

        @tf.function(jit_compile=True)
        def step():
            with tf.GradientTape() as tape:
                losses = tf.nn.sparse_softmax_cross_entropy_with_logits(y, model(x))
                value = tf.reduce_mean(losses)
            gradients = tape.gradient(value, variables)
            t.assign_add(1.0)
            for p, g, mi, vi in zip(variables, gradients, m, v):
                if adam:
                    mi.assign(0.9 * mi + 0.1 * g)
                    vi.assign(0.999 * vi + 0.001 * g * g)
                    p.assign_sub(0.001 / (1 - 0.9**t) * mi / (tf.sqrt(vi / (1 - 0.999**t)) + 1e-8))
                else:
                    p.assign_sub(0.001 * g)
            return value

        return lambda: step().numpy()

    def inference(self, batch):
        model = self.model(MLP)
        x = self.tf.constant(data(batch, 784)[0])
        forward = self.tf.function(lambda x: model(x), jit_compile=True)
        return lambda: forward(x).numpy()

    def tiny(self):
        tf = self.tf
        x, y = tf.constant([[1.0, 2, 3, 4], [4, 3, 2, 1]]), tf.constant([2, 0])
        w, b = tf.Variable(tf.random.normal([4, 3])), tf.Variable(tf.zeros([3]))

        @tf.function(jit_compile=True)
        def gradient():
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, x @ w + b))
            return tape.gradient(loss, (w, b))

        return lambda: gradient()[1].numpy()

    def epoch(self):
        images, labels = fashion()
        model = self.model(MLP)
        loss = self.tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile("adam", loss, jit_compile=True)
        return lambda: model.fit(images, labels, batch_size=128, verbose=0)


def measure(peer, name, seconds):
    if name in TRAINING:
        return median_microseconds(peer.training(*TRAINING[name]), seconds)
    if name in INFERENCE:
        return median_microseconds(peer.inference(INFERENCE[name]), seconds)
    if name == TRANSFORMER:
        return median_microseconds(peer.transformer(), seconds)
    if name == GPT:
        return median_microseconds(peer.gpt(), seconds) if hasattr(peer, "gpt") else None
    if name == RECURRENT:
        return median_microseconds(peer.recurrent(), seconds) if hasattr(peer, "recurrent") else None
    if name == CNN:
        return median_microseconds(peer.cnn(), seconds)
    if name in (NORMALIZED, RESIDUAL):
        step = getattr(peer, "normalized" if name == NORMALIZED else "residual", None)
        return median_microseconds(step(), seconds) if step else None
    if name == TINY:
        return median_microseconds(peer.tiny(), seconds)
    return shortest_epoch(peer.epoch())


def measured(peer, name, seconds):
    """What fails, as its data are not here, costs that row alone."""
    try:
        return measure(peer, name, seconds)
    except Exception as error:
        print(f"bench:peers: {type(peer).__name__}, {name}: {error}".splitlines()[0], file=sys.stderr)
        return None


def main():
    library = sys.argv[1]
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 1.0
    wanted = sys.argv[3:] or [*TRAINING, TRANSFORMER, GPT, RECURRENT, CNN, NORMALIZED, RESIDUAL, TINY, *INFERENCE, EPOCH]
    peer = {"jax": Jax, "torch": Torch, "tensorflow": TensorFlow}[library]()
    print(json.dumps({"name": library, "microseconds": {name: measured(peer, name, seconds) for name in wanted}}))


main()
