"""Reads the runs that write.ts wrote by TensorBoard's own EventAccumulator, and compares what they say.

python tools/testing/tensorboard/check.py FOLDER (pip install tensorboard==2.21.0 numpy pillow)
"""

import gzip
import io
import json
import os
import sys

import numpy as np
from google.protobuf import text_format
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import metadata as hparams
from tensorboard.plugins.projector import projector_config_pb2
from tensorboard.util import tensor_util

folder = sys.argv[1]
expected = json.load(open(os.path.join(folder, "expected.json")))
checks = 0


def same(what, got, wanted):
    global checks
    checks += 1
    np.testing.assert_array_equal(np.asarray(got), np.asarray(wanted), what)


def close(what, got, wanted, tolerance=1e-6):
    global checks
    checks += 1
    np.testing.assert_allclose(got, wanted, tolerance, tolerance, err_msg=what)


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(png)))


for run, wanted in expected.items():
    path = os.path.join(folder, run)
    events = EventAccumulator(path, size_guidance=dict.fromkeys(["scalars", "histograms", "tensors", "images"], 0)).Reload()
    same("file version", events.file_version, 2)

    loss = events.Scalars("loss/train")
    same("steps", [event.step for event in loss], range(len(wanted["scalars"])))
    same("loss", [event.value for event in loss], np.float32(wanted["scalars"]))
    close("times", [event.wall_time for event in loss], [1.7e9 + i / 1000 for i in range(len(loss))], 0)

    for event, weight in zip(events.Histograms("layers.0/weight"), wanted["weights"], strict=True):
        weight, histogram = np.float32(weight), event.histogram_value
        counts, edges = np.histogram(weight, 20)
        close("edges", histogram.bucket_limit, edges[1:], 1e-5)
        assert abs(np.subtract(histogram.bucket, counts)).sum() <= 2, "counts"
        same("number", [sum(histogram.bucket), histogram.num], [weight.size] * 2)
        same("extremes", [histogram.min, histogram.max], [weight.min(), weight.max()])
        close("sums", [histogram.sum, histogram.sum_squares], [weight.sum(), (weight**2).sum()], 1e-4)
    partial = events.Histograms("with NaN")[0].histogram_value
    same("finite elements", [partial.num, partial.min, partial.max, partial.sum], [3, 1, 4, 7])
    same("counts of them", partial.bucket, [1, 1, 1])

    def strings(tag):
        event = events.Tensors(tag)[0]
        return event.step, tensor_util.make_ndarray(event.tensor_proto)

    for tag, step, images in [
        ("colors", 3, np.round(np.float32(wanted["colors"]) * np.float32(255))),
        ("digits", 4, np.array(wanted["digits"])[:4, :, :, 0]),
    ]:
        got, (width, height, *files) = strings(tag)
        same("step of images", got, step)
        same("size", [int(width), int(height)], [images.shape[2], images.shape[1]])
        for file, image in zip(files, images, strict=True):
            same(tag, pixels(file), image)
    step, text = strings("notes")
    same("text", [step, text.item().decode().split("\n")[0] == f"# Run {run}"], [1, True])
    same("plugins", [events.SummaryMetadata(tag).plugin_data.plugin_name for tag in ["colors", "notes", "digit 7"]], ["images", "text", "pr_curves"])

    curve = tensor_util.make_ndarray(events.Tensors("digit 7")[0].tensor_proto)
    labels, predictions = np.array(wanted["labels"]).astype(bool), np.float32(wanted["predictions"])
    thresholds = np.float32(np.arange(51) / 50)
    above = np.floor(predictions * np.float32(50))[None] >= np.arange(51)[:, None]
    tp, fp = (above & labels).sum(1), (above & ~labels).sum(1)
    same("true positives", curve[0], tp)
    same("false positives", curve[1], fp)
    same("true negatives", curve[2], (~labels).sum() - fp)
    same("false negatives", curve[3], labels.sum() - tp)
    close("precision", curve[4], tp / np.maximum(1e-7, tp + fp))
    close("recall", curve[5], tp / labels.sum())

    content = events.SummaryMetadata(hparams.SESSION_START_INFO_TAG).plugin_data.content
    start = hparams.parse_session_start_info_plugin_data(content).hparams
    same("learning rate", start["learningRate"].number_value, wanted["learningRate"])
    same("optimizer", start["optimizer"].string_value, "adam" if run == "fast" else "sgd")
    same("nesterov", start["nesterov"].bool_value, True)
    content = events.SummaryMetadata(hparams.EXPERIMENT_TAG).plugin_data.content
    experiment = hparams.parse_experiment_plugin_data(content)
    same("metrics", [info.name.tag for info in experiment.metric_infos], ["loss/validation", "accuracy"])
    same("parameters", [info.name for info in experiment.hparam_infos], ["learningRate", "optimizer", "nesterov"])

    config = projector_config_pb2.ProjectorConfig()
    text_format.Parse(open(os.path.join(path, "projector_config.pbtxt")).read(), config)
    same("embeddings", [embedding.tensor_name for embedding in config.embeddings], ["rows", "plain"])
    rows = config.embeddings[0]
    vectors = np.loadtxt(os.path.join(path, rows.tensor_path), delimiter="\t")
    same("vectors", vectors.shape, rows.tensor_shape)
    labels = open(os.path.join(path, rows.metadata_path)).read().split("\n")
    same("labels", labels[:3], ["class\trow", "class 0\t0", "class 1\t1"])
    same("sheet of images", pixels(open(os.path.join(path, rows.sprite.image_path), "rb").read()).shape, (64, 64))

    profiles = os.path.join(path, "plugins/profile/program")
    trace = json.load(gzip.open(os.path.join(profiles, os.listdir(profiles)[0])))
    spans = [event for event in trace["traceEvents"] if event["ph"] == "X" and event["tid"] == 1]
    assert spans and all(span["dur"] > 0 for span in spans), "trace"

    nodes = {node.name: node for node in events.Graph().node}
    for name in wanted["graph"]:
        assert name in nodes, name
    assert all(name in nodes for node in nodes.values() for name in node.input), "edges"
    shapes = [[dim.size for dim in nodes[name].attr["_output_shapes"].list.shape[0].dim] for name in wanted["graph"]]
    same("shapes", shapes == [[32, 784], [128, 784], [128], [10, 128], [10], [32, 10]], True)

print(f"{checks} comparisons of {len(expected)} runs agree")
