"""The models behind small protocols, fetched by name and sha256, run by ONNX Runtime."""

from bowerbird.understanding.encoder import Encoder
from bowerbird.understanding.manifest import MANIFEST, Model
from bowerbird.understanding.models import ModelState, ModelStore

__all__ = ["MANIFEST", "Encoder", "Model", "ModelState", "ModelStore"]
