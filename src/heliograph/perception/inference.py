"""Running a network on the CPU: OpenVINO where it loads, onnxruntime otherwise.

OpenVINO uses less CPU than onnxruntime on the same weights (docs/design/reading.md). Many small inputs, such as
lines of text, run side by side with one thread each rather than one after the other with all threads, so that no thread waits for
another within a line.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from heliograph.errors import NotConfigured

log = logging.getLogger(__name__)

CACHED = 256
"""Compiled kernels that OpenVINO keeps for shapes it has met; with its own 5,000 the engine grows by a fifth over 100 documents of
ever new shapes, with none it takes a fourth more CPU (docs/design/reading.md)."""

Array = NDArray[np.float32]


class Network(Protocol):
    """A loaded network."""

    metadata: dict[str, str]
    """What the weights file says of itself, such as the recogniser's `character` list."""

    def __call__(self, *inputs: Array) -> list[Array]:
        """All outputs for these inputs, in the network's order. The arrays are the caller's own."""
        ...

    def each(self, inputs: Iterable[Array], take: Callable[[int, Array], None]) -> None:
        """Run the network on each of `inputs` and hand its first output to `take` with the input's number, in any order.

        The output is valid during the call only, and calls do not overlap.
        """
        ...


class OpenVINO:
    """A network in OpenVINO, on `threads` threads, for one large input at a time or for many small ones `side_by_side`.

    Where the CPU has 16-bit floats, OpenVINO computes in them: half the time, and the same word F1 on 20 receipts (docs/design/reading.md);
    scores differ in the third digit from those of a CPU without.
    """

    def __init__(self, path: Path, threads: int, *, side_by_side: bool = False) -> None:
        import openvino  # noqa: PLC0415 - absent where there is no wheel; onnxruntime then stands in

        core: Any = openvino.Core()
        model: Any = core.read_model(path)
        information: Any = model.get_rt_info()
        framework: Any = information["framework"] if "framework" in information else {}  # noqa: SIM401 - it is a mapping without `get`
        self.metadata = {str(key): str(framework[key].value) for key in framework}
        options = {
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": threads if side_by_side else 1,
            "ENABLE_CPU_PINNING": False,
            "CPU_RUNTIME_CACHE_CAPACITY": CACHED,
        }
        compiled: Any = core.compile_model(model, "CPU", options)
        self._request: Any = compiled.create_infer_request()
        self._queue: Any = openvino.AsyncInferQueue(compiled, threads) if side_by_side else None

    def __call__(self, *inputs: Array) -> list[Array]:
        """All outputs for these inputs."""
        self._request.infer(list(inputs), share_inputs=True)
        return [np.array(tensor.data, dtype=np.float32) for tensor in self._request.output_tensors]

    def each(self, inputs: Iterable[Array], take: Callable[[int, Array], None]) -> None:
        """Run on each of `inputs`."""
        if self._queue is None:
            for number, item in enumerate(inputs):
                take(number, self(item)[0])
            return
        failures: list[Exception] = []
        lock = Lock()

        def done(request: Any, number: int) -> None:
            try:
                with lock:
                    take(number, request.get_output_tensor(0).data)
            except Exception as error:  # an exception must not leave a callback of the runtime
                failures.append(error)

        self._queue.set_callback(done)
        for number, item in enumerate(inputs):
            self._queue.start_async([item], number)
        self._queue.wait_all()
        if failures:
            raise failures[0]


class ONNXRuntime:
    """A network in onnxruntime, on `threads` threads, without its memory arena (which keeps the largest page's size for ever)."""

    def __init__(self, path: Path, threads: int, *, side_by_side: bool = False) -> None:
        import onnxruntime  # noqa: PLC0415 - 100 ms that OpenVINO users need not pay

        del side_by_side

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

    def each(self, inputs: Iterable[Array], take: Callable[[int, Array], None]) -> None:
        """Run on each of `inputs`, one after the other."""
        for number, item in enumerate(inputs):
            take(number, self(item)[0])


def load(path: Path, threads: int, *, side_by_side: bool = False) -> Network:
    """Load the ONNX file `path`; `side_by_side` for `each` over many small inputs. Raises `NotConfigured` when no runtime loads it."""
    runtime = OpenVINO if find_spec("openvino") else ONNXRuntime
    try:
        return runtime(path, threads, side_by_side=side_by_side)
    except Exception as error:
        if runtime is ONNXRuntime:
            raise NotConfigured(f"onnxruntime does not load {path.name}: {error}") from error
        log.warning("OpenVINO does not load %s, so onnxruntime stands in at twice the cost: %s", path.name, error)
    try:
        return ONNXRuntime(path, threads, side_by_side=side_by_side)
    except Exception as error:
        raise NotConfigured(f"Neither OpenVINO nor onnxruntime loads {path.name}: {error}") from error
