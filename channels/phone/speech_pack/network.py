"""The only importer of onnxruntime: a neural network read from a file and run on the processor."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnxruntime


class Network:
    """`inputs` and `outputs` are the names the file gives; arrays in, arrays out."""

    def __init__(self, path: Path, *, threads: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # Spinning threads would take the processor from the calls.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self.inputs = tuple(node.name for node in self._session.get_inputs())
        self.outputs = tuple(node.name for node in self._session.get_outputs())

    def run(self, given: Mapping[str, Any]) -> dict[str, Any]:
        return dict(zip(self.outputs, self._session.run(None, dict(given)), strict=True))
