"""The only importer of onnxruntime: a neural network read from a file and run on the processor."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import onnxruntime


class Network:
    """`inputs` and `outputs` are the names the file gives; arrays in, arrays out. `also` are values from within the network that
    are given out behind its outputs."""

    def __init__(self, path: Path, *, threads: int, also: Sequence[str] = ()) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # Spinning threads would take the processor from the calls.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        model = path.read_bytes() + b"".join(map(_output, also)) if also else str(path)
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self.inputs = tuple(node.name for node in self._session.get_inputs())
        self.outputs = tuple(node.name for node in self._session.get_outputs())

    def run(self, given: Mapping[str, Any]) -> dict[str, Any]:
        return dict(zip(self.outputs, self._session.run(None, dict(given)), strict=True))


def _output(name: str) -> bytes:
    """One more output, to be written behind a model: in Protocol Buffers a message that comes twice is merged, and a list in it
    goes on (onnx.proto: ModelProto.graph is field 7, GraphProto.output 12, ValueInfoProto.name 1)."""
    return _field(7, _field(12, _field(1, name.encode())))


def _field(number: int, body: bytes) -> bytes:
    """A field of bytes, shorter than 128 here: number and wire type 2, length, bytes."""
    assert len(body) < 128
    return bytes([number << 3 | 2, len(body)]) + body
