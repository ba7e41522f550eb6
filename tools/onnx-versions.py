"""Writes lib/onnx/versions.ts: since which opset versions each operator is what it is, by the schemas of the Python package onnx.

Run as: python tools/onnx-versions.py
"""

from collections import defaultdict
from pathlib import Path

from onnx import defs

DOMAINS = ["", "ai.onnx.preview.training"]

versions = defaultdict(lambda: defaultdict(set))
withdrawn = []
for schema in defs.get_all_schemas_with_history():
    if schema.domain in DOMAINS:
        versions[schema.domain][schema.name].add(schema.since_version)
        if schema.deprecated:
            withdrawn.append(schema)
for schema in withdrawn:
    # A last version by which an operator was taken back says nothing of what it does.
    if schema.since_version == max(versions[schema.domain][schema.name]):
        versions[schema.domain][schema.name].remove(schema.since_version)

lines = [
    "/** Since which opset versions each operator is what it is. Written by tools/onnx-versions.py, from the schemas of the standard. */",
    "",
    "/** The newest opset of the main domain that is known here. */",
    f"export const newestOpset = {defs.onnx_opset_version()}",
    "",
    "/** By domain and operator, in ascending order. */",
    "export const sinceVersions: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>> = {",
]
for domain in DOMAINS:
    lines.append(f"  '{domain}': {{")
    for name in sorted(versions[domain]):
        lines.append(f"    {name}: [{', '.join(map(str, sorted(versions[domain][name])))}],")
    lines.append("  },")
lines.append("}")

path = Path(__file__).parent.parent / "lib" / "onnx" / "versions.ts"
path.write_text("\n".join(lines) + "\n")
