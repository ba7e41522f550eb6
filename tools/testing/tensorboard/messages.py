"""Holds lib/tensorboard/tensorboard.proto against TensorBoard's own definitions: the number, the type and the repetition of each field.

protoc --descriptor_set_out=FILE -Ilib/tensorboard tensorboard.proto && python tools/testing/tensorboard/messages.py FILE
"""

import sys

from google.protobuf import descriptor_pb2, descriptor_pool
from tensorboard.compat.proto import event_pb2, graph_pb2
from tensorboard.plugins.hparams import plugin_data_pb2 as hparams
from tensorboard.plugins.pr_curve import plugin_data_pb2 as pr_curve

files = descriptor_pb2.FileDescriptorSet.FromString(open(sys.argv[1], "rb").read())
pool = descriptor_pool.DescriptorPool()
for file in files.file:
    pool.Add(file)

roots = [
    ("Event", event_pb2.Event),
    ("GraphDef", graph_pb2.GraphDef),
    ("HParamsPluginData", hparams.HParamsPluginData),
    ("PrCurvePluginData", pr_curve.PrCurvePluginData),
]
integers = {"enum": "int32"}
count = 0
seen = set()


def kind(field):
    names = {value: name[5:].lower() for name, value in descriptor_pb2.FieldDescriptorProto.Type.items()}
    name = names[field.type]
    return integers.get(name, name)


def compare(ours, theirs):
    global count
    if ours.full_name in seen:
        return
    seen.add(ours.full_name)
    for field in ours.fields:
        other = theirs.fields_by_number.get(field.number)
        place = f"{ours.full_name}.{field.name} = {field.number}"
        assert other is not None, f"{place}: there is none"
        assert other.name == field.name, f"{place}: {other.name}"
        assert kind(other) == kind(field), f"{place}: {kind(other)}"
        assert other.is_repeated == field.is_repeated, f"{place}: repetition"
        assert other.is_packed == field.is_packed, f"{place}: packing"
        count += 1
        if field.message_type:
            compare(field.message_type, other.message_type)


for name, message in roots:
    compare(pool.FindMessageTypeByName(f"tensorboard.{name}"), message.DESCRIPTOR)
print(f"{count} fields of {len(seen)} messages are those of TensorBoard")
