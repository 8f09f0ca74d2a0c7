"""Running a network on the CPU: OpenVINO where it loads, onnxruntime otherwise.

OpenVINO uses 25-35 % less CPU than onnxruntime on the same weights (docs/design/reading.md). Batches are of one: on two
threads a batch of four costs what four batches of one cost, and one needs no padding (measured 2026-11-21).
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from heliograph.errors import NotConfigured

log = logging.getLogger(__name__)

Array = NDArray[np.float32]


class Network(Protocol):
    """A loaded network."""

    metadata: dict[str, str]
    """What the weights file says of itself, such as the recogniser's `character` list."""

    def __call__(self, *inputs: Array) -> list[Array]:
        """All outputs for these inputs, in the network's order. The arrays are the caller's own."""
        ...


class OpenVINO:
    """A network in OpenVINO, on `threads` threads.

    Computes in 32 bits: the 16-bit floats of newer CPUs are 1.5 times as fast but read differently, and an answer
    must not depend on the machine.
    """

    def __init__(self, path: Path, threads: int) -> None:
        import openvino  # noqa: PLC0415 - absent where there is no wheel; onnxruntime then stands in

        core: Any = openvino.Core()
        model: Any = core.read_model(path)
        framework: Any = model.get_rt_info().get("framework", {})
        self.metadata = {str(key): str(framework[key].value) for key in framework}
        options = {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "INFERENCE_PRECISION_HINT": "f32", "ENABLE_CPU_PINNING": False}
        self._request: Any = core.compile_model(model, "CPU", options).create_infer_request()

    def __call__(self, *inputs: Array) -> list[Array]:
        """All outputs for these inputs."""
        self._request.infer(list(inputs), share_inputs=True)
        return [np.array(tensor.data, dtype=np.float32) for tensor in self._request.output_tensors]


class ONNXRuntime:
    """A network in onnxruntime, on `threads` threads, without its memory arena (which keeps the largest page's size for ever)."""

    def __init__(self, path: Path, threads: int) -> None:
        import onnxruntime  # noqa: PLC0415 - 100 ms that OpenVINO users need not pay

        ort: Any = onnxruntime
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False
        options.log_severity_level = 3
        self._session: Any = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self._inputs = [item.name for item in self._session.get_inputs()]
        self.metadata = dict(self._session.get_modelmeta().custom_metadata_map)

    def __call__(self, *inputs: Array) -> list[Array]:
        """All outputs for these inputs."""
        return [np.asarray(output, dtype=np.float32) for output in self._session.run(None, dict(zip(self._inputs, inputs, strict=True)))]


def load(path: Path, threads: int) -> Network:
    """Load the ONNX file `path`. Raises `NotConfigured` when no runtime loads it."""
    problems: list[str] = []
    for runtime in (OpenVINO, ONNXRuntime):
        try:
            return runtime(path, threads)
        except Exception as error:
            log.debug("%s does not load %s", runtime.__name__, path, exc_info=True)
            problems.append(f"{runtime.__name__}: {error}")
    raise NotConfigured(f"No runtime loads {path.name}: {'; '.join(problems)}")
