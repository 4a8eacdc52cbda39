"""Reads and rewrites ONNX files without the onnx package: only the protobuf fields that the fixtures need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Iterator

import numpy as np

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
FLOAT, FLOAT16 = 1, 10
# Field numbers of onnx.proto.
MODEL_GRAPH = 7
GRAPH_NODE, GRAPH_INITIALIZER, GRAPH_INPUT, GRAPH_OUTPUT, GRAPH_VALUE_INFO = 1, 5, 11, 12, 13
NODE_OP, NODE_ATTRIBUTE = 4, 5
ATTRIBUTE_NAME, ATTRIBUTE_INT, ATTRIBUTE_TENSOR = 1, 3, 5
TENSOR_TYPE, TENSOR_FLOAT_DATA, TENSOR_NAME, TENSOR_RAW, TENSOR_EXTERNAL, TENSOR_LOCATION = 2, 4, 8, 9, 13, 14


@dataclass(frozen=True)
class Field:
    number: int
    wire: int
    value: int | bytes


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return value, at
        shift += 7


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def fields(data: bytes) -> Iterator[Field]:
    at = 0
    while at < len(data):
        key, at = read_varint(data, at)
        number, wire = key >> 3, key & 7
        if wire == VARINT:
            value, at = read_varint(data, at)
            yield Field(number, wire, value)
            continue
        if wire == BYTES:
            size, at = read_varint(data, at)
        elif wire in (FIXED64, FIXED32):
            size = 8 if wire == FIXED64 else 4
        else:
            raise ValueError(f'unexpected wire type {wire}: not an ONNX file')
        yield Field(number, wire, data[at : at + size])
        at += size


def encode(message: list[Field]) -> bytes:
    out = bytearray()
    for field in message:
        out += varint(field.number << 3 | field.wire)
        if isinstance(field.value, int):
            out += varint(field.value)
        else:
            out += (varint(len(field.value)) if field.wire == BYTES else b'') + field.value
    return bytes(out)


def rewrite(data: bytes, change: dict[int, Callable[[bytes], bytes]]) -> bytes:
    """The message with the sub-messages of the given field numbers replaced."""
    return encode(
        [Field(f.number, f.wire, change[f.number](f.value)) if f.number in change else f for f in fields(data)]
    )


def first(data: bytes, number: int) -> int | bytes | None:
    return next((f.value for f in fields(data) if f.number == number), None)


def operators(model: bytes) -> dict[str, int]:
    """How often each operator stands in the graph, by name."""
    counts: dict[str, int] = {}
    for field in fields(first(model, MODEL_GRAPH)):
        if field.number == GRAPH_NODE:
            name = first(field.value, NODE_OP).decode()
            counts[name] = counts.get(name, 0) + 1
    return dict(sorted(counts.items()))


def without_notes(model: bytes) -> bytes:
    """The model without doc strings and metadata, where newer exporters keep stack traces with paths of files."""

    def drop(*numbers: int) -> Callable[[bytes], bytes]:
        return lambda message: encode([f for f in fields(message) if f.number not in numbers])

    value_info, tensor, node = drop(3, 4), drop(12, 16), drop(6, 9)
    parts = {
        GRAPH_NODE: node,
        GRAPH_INITIALIZER: tensor,
        GRAPH_INPUT: value_info,
        GRAPH_OUTPUT: value_info,
        GRAPH_VALUE_INFO: value_info,
    }
    return rewrite(drop(6, 14)(model), {MODEL_GRAPH: lambda g: rewrite(drop(10, 16)(g), parts)})


def half_tensor(tensor: bytes) -> bytes:
    """A float32 tensor as float16; any other stays."""
    if first(tensor, TENSOR_TYPE) != FLOAT:
        return tensor
    raw = first(tensor, TENSOR_RAW)
    packed = first(tensor, TENSOR_FLOAT_DATA) if raw is None else raw
    halves = np.frombuffer(packed or b'', '<f4').astype('<f2').tobytes()
    kept = [f for f in fields(tensor) if f.number not in (TENSOR_RAW, TENSOR_FLOAT_DATA, TENSOR_TYPE)]
    return encode([*kept, Field(TENSOR_TYPE, VARINT, FLOAT16), Field(TENSOR_RAW, BYTES, halves)])


def half_attribute(attribute: bytes) -> bytes:
    if first(attribute, ATTRIBUTE_NAME) == b'to' and first(attribute, ATTRIBUTE_INT) == FLOAT:
        kept = [f for f in fields(attribute) if f.number != ATTRIBUTE_INT]
        return encode([*kept, Field(ATTRIBUTE_INT, VARINT, FLOAT16)])
    return rewrite(attribute, {ATTRIBUTE_TENSOR: half_tensor})


def half_value_info(info: bytes) -> bytes:
    """ValueInfoProto.type (2) . tensor_type (1) . elem_type (1)."""

    def element(tensor_type: bytes) -> bytes:
        return encode([Field(1, VARINT, FLOAT16) if f == Field(1, VARINT, FLOAT) else f for f in fields(tensor_type)])

    return rewrite(info, {2: lambda t: rewrite(t, {1: element})})


def to_half(model: bytes) -> bytes:
    """The graph in float16 throughout, as an export of `model.half()` writes it: inputs, weights, constants, casts."""
    node = lambda n: rewrite(n, {NODE_ATTRIBUTE: half_attribute})
    graph = {
        GRAPH_NODE: node,
        GRAPH_INITIALIZER: half_tensor,
        GRAPH_INPUT: half_value_info,
        GRAPH_OUTPUT: half_value_info,
        GRAPH_VALUE_INFO: half_value_info,
    }
    return rewrite(model, {MODEL_GRAPH: lambda g: rewrite(g, graph)})


def to_half_weights(model: bytes) -> bytes:
    """Stores each initializer that float16 holds exactly in float16, with a Cast that gives it back in float32."""
    casts: list[Field] = []

    def store(tensor: bytes) -> bytes:
        raw = first(tensor, TENSOR_RAW)
        if first(tensor, TENSOR_TYPE) != FLOAT or raw is None:
            return tensor
        values = np.frombuffer(raw, '<f4')
        if not np.array_equal(values, values.astype('<f2').astype('<f4')):
            return tensor
        name = first(tensor, TENSOR_NAME)
        to = encode([Field(ATTRIBUTE_NAME, BYTES, b'to'), Field(ATTRIBUTE_INT, VARINT, FLOAT), Field(20, VARINT, 2)])
        parts = [(1, name + b'.half'), (2, name), (3, name + b'.cast'), (NODE_OP, b'Cast'), (NODE_ATTRIBUTE, to)]
        casts.append(Field(GRAPH_NODE, BYTES, encode([Field(number, BYTES, part) for number, part in parts])))
        kept = [f for f in fields(half_tensor(tensor)) if f.number != TENSOR_NAME]
        return encode([*kept, Field(TENSOR_NAME, BYTES, name + b'.half')])

    def graph(data: bytes) -> bytes:
        stored = rewrite(data, {GRAPH_INITIALIZER: store})
        return encode([*casts, *fields(stored)])

    return rewrite(model, {MODEL_GRAPH: graph})


def to_external(model: bytes, location: str, least_bytes: int = 1024) -> tuple[bytes, bytes]:
    """The model with initializers of `least_bytes` or more moved to one file, each at a multiple of 64 bytes.

    Returns the model, which names the file as `location`, and the content of that file.
    """
    data = bytearray()

    def entry(key: str, value: str) -> Field:
        pair = encode([Field(1, BYTES, key.encode()), Field(2, BYTES, value.encode())])
        return Field(TENSOR_EXTERNAL, BYTES, pair)

    def move(tensor: bytes) -> bytes:
        raw = first(tensor, TENSOR_RAW)
        if raw is None or len(raw) < least_bytes:
            return tensor
        data.extend(bytes(-len(data) % 64))
        offset = len(data)
        data.extend(raw)
        kept = [f for f in fields(tensor) if f.number != TENSOR_RAW]
        place = [entry('location', location), entry('offset', str(offset)), entry('length', str(len(raw)))]
        return encode([*kept, *place, Field(TENSOR_LOCATION, VARINT, 1)])

    moved = rewrite(model, {MODEL_GRAPH: lambda g: rewrite(g, {GRAPH_INITIALIZER: move})})
    return moved, bytes(data)
