"""Writes fixtures.tar.gz: small models with inputs and expected outputs, in the form of ONNX's node tests.

    pip install onnx==1.23.2 onnxruntime==1.32.0 pillow && python fixtures.py

Expected values come from ONNX's reference implementation; those of ONNX Runtime's own operators and of what the reference
lacks come from ONNX Runtime. Numbers are drawn from a fixed seed, so that the same versions write the same file.
"""
import gzip, io, tarfile, warnings
import numpy as np, onnx, onnxruntime
from onnx import TensorProto as T, helper as h, numpy_helper as nh
from onnx.reference import ReferenceEvaluator

warnings.filterwarnings("ignore")
rng = np.random.default_rng(20)
out = gzip.GzipFile("fixtures.tar.gz", "wb", 9, mtime=0)
archive, names, lost = tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT), set(), []
MS, ML = "com.microsoft", "ai.onnx.ml"


def f(*shape): return rng.standard_normal(shape).astype(np.float32)
def p(*shape): return (np.abs(rng.standard_normal(shape)) + 0.1).astype(np.float32)
def i(lo, hi, *shape, dt=np.int64): return rng.integers(lo, hi, shape).astype(dt)
def b(*shape): return rng.random(shape) < 0.5
def v(*x, dt=np.int64): return np.array(x, dt)
def s(x, dt=np.float32): return np.array(x, dt)


def put(path, data):
    info = tarfile.TarInfo(path)
    info.size = len(data)
    archive.addfile(info, io.BytesIO(data))


def proto(x):
    if isinstance(x, list): return nh.from_list([np.asarray(e) for e in x])
    x = np.asarray(x)
    return nh.from_array(x.astype(object) if x.dtype.kind == "U" else x)


def model(nodes, feeds, outputs, inits=(), opset=21, functions=()):
    domains = {n.domain for n in nodes} - {""}
    def info(n, x):
        if isinstance(x, list):
            return h.make_tensor_sequence_value_info(n, h.np_dtype_to_tensor_dtype(x[0].dtype), None)
        x = np.asarray(x)
        return h.make_tensor_value_info(n, T.STRING if x.dtype.kind in "UO" else h.np_dtype_to_tensor_dtype(x.dtype), x.shape)
    g = h.make_graph(nodes, "g", [info(n, x) for n, x in feeds.items()], [], [nh.from_array(x, n) for n, x in dict(inits).items()])
    m = h.make_model(g, opset_imports=[h.make_opsetid("", opset)] + [h.make_opsetid(d, 5 if d == ML and any(n.op_type == "TreeEnsemble" for n in nodes) else 4 if d == ML else 1) for d in sorted(domains)], functions=list(functions))
    m.ir_version = 10
    for o in outputs: m.graph.output.append(h.make_empty_tensor_value_info(o))
    return m, info


def write(name, nodes, feeds, outputs, inits=(), opset=21, ort=False):
    k, base = 2, name
    while name in names: name, k = f"{base}_{k}", k + 1
    names.add(name)
    m, info = model(nodes, feeds, outputs, inits, opset)
    try:
        if ort: raise RuntimeError("by choice")
        result = ReferenceEvaluator(m).run(None, feeds)
    except Exception as first:
        try:
            typed = onnx.shape_inference.infer_shapes(m) if not ort else m
            result = onnxruntime.InferenceSession(typed.SerializeToString(), providers=["CPUExecutionProvider"]).run(None, feeds)
        except Exception as second:
            lost.append((name, str(first)[:90], str(second)[:120]))
            return
    del m.graph.output[:]
    for o, x in zip(outputs, result):
        m.graph.output.append(info(o, [np.asarray(e) for e in x] if isinstance(x, list) else x))
    put(f"{name}/model.onnx", m.SerializeToString())
    for k, x in enumerate(feeds.values()): put(f"{name}/test_data_set_0/input_{k}.pb", proto(x).SerializeToString())
    for k, x in enumerate(result): put(f"{name}/test_data_set_0/output_{k}.pb", proto(x).SerializeToString())


def one(op, *inputs, outs=1, const=(), opset=21, domain="", name="", ort=False, **attrs):
    """A model of one operator; const lists the inputs that are constants of the model."""
    given = {f"i{k}": x for k, x in enumerate(inputs) if x is not None}
    node = h.make_node(op, [f"i{k}" if x is not None else "" for k, x in enumerate(inputs)], [f"o{k}" for k in range(outs)], domain=domain, **attrs)
    inits = {n: x for n, x in given.items() if int(n[1:]) in const}
    write(name or op.lower(), [node], {n: x for n, x in given.items() if n not in inits}, [f"o{k}" for k in range(outs)], inits, opset, ort or domain == MS)


def chain(name, steps, feeds, outputs, inits=(), opset=21):
    """A model of several operators: (op, inputs, outputs, attributes)."""
    write(name, [h.make_node(op, ins, outs, **attrs) for op, ins, outs, attrs in steps], feeds, outputs, inits, opset)


# element-wise
for op in "Abs Neg Sign Floor Ceil Round Relu Sigmoid Tanh Exp Erf Sin Cos Tan Asinh Sinh Cosh Atan Softplus Softsign HardSwish Mish Elu Celu Selu LeakyRelu HardSigmoid ThresholdedRelu Gelu Identity".split():
    one(op, f(3, 37)); one(op, f(3, 5).astype(np.float64)) if op not in ("Erf", "Mish", "HardSwish", "Gelu", "HardSigmoid") else None
for op in "Asin Acos Atanh".split(): one(op, np.clip(f(4, 9), -0.9, 0.9))
for op in "Sqrt Log Reciprocal Acosh".split(): one(op, p(4, 9) + 1); one(op, (p(4, 9) + 1).astype(np.float64))
for dt in (np.int8, np.int16, np.int32, np.int64): one("Abs", i(-9, 9, 7, dt=dt)); one("Neg", i(-9, 9, 7, dt=dt)); one("Sign", i(-9, 9, 7, dt=dt))
for dt in (np.uint8, np.uint16, np.uint32, np.uint64): one("Sign", i(0, 9, 7, dt=dt))
one("Gelu", f(9), approximate="tanh"); one("Shrink", f(9), bias=0.1, lambd=0.4); one("IsNaN", s([1, np.nan])); one("IsInf", s([1, np.inf, -np.inf]), detect_negative=0)
one("Clip", f(9), s(-0.5), s(0.5)); one("Clip", i(-9, 9, 9), s(-3, np.int64), s(3, np.int64)); one("Clip", f(9), opset=6, min=-0.5, max=0.5); one("Clip", i(-9, 9, 9, dt=np.int8), None, s(3, np.int8))
one("Swish", f(9), opset=24); one("Swish", f(9), opset=24, alpha=0.5); one("SwiGLU", f(3, 9), f(3, 9), opset=28)
for op in "Add Sub Mul Div Max Min Pow".split():
    for dt in (np.float32, np.float64, np.int32, np.int64, np.uint8, np.int8, np.int16, np.uint16, np.uint32, np.uint64):
        if op == "Pow" and dt not in (np.float32, np.float64, np.int32, np.int64): continue
        if op in ("Add", "Sub", "Mul", "Div") and dt in (np.int8, np.int16, np.uint16) and op == "Div": continue
        x, y = (f(2, 3, 4), p(3, 1)) if np.issubdtype(dt, np.floating) else (i(1, 6, 2, 3, 4), i(1, 4, 3, 1))
        one(op, (np.abs(x) if op == "Pow" else x).astype(dt), y.astype(dt))
    one(op, p(2, 3, 40), s(2)); one(op, s(2), p(2, 3, 40)); one(op, p(2, 40), p(2, 40)); one(op, p(4, 1, 5), p(3, 1)); one(op, p(3, 4).astype(np.float16), p(4).astype(np.float16))
for e in (1, 2, 3, 0.5, 1.7): one("Pow", p(3, 9), s(e))
one("Pow", i(1, 5, 4, dt=np.int32), f(4)); one("Pow", p(4), v(1, 2, 3, 4))
for op in ("Sum", "Mean"): one(op, f(2, 3), f(3), f(2, 1)); one(op, f(3)); one(op, f(2, 3), f(2, 3))
one("Max", f(2, 3)); one("Max", f(2, 3), f(3), f(2, 1)); one("Mean", f(3).astype(np.float64), f(3).astype(np.float64))
for dt in (np.int32, np.int64, np.int8, np.int16, np.uint8, np.uint16, np.uint32, np.uint64): one("Mod", i(1, 20, 9, dt=dt), i(1, 5, 9, dt=dt))
one("Mod", i(-20, 20, 9), v(3)); one("Mod", f(9), p(9), fmod=1); one("Mod", i(-20, 20, 9), v(3), fmod=1)
for d in ("LEFT", "RIGHT"):
    for dt in (np.uint8, np.uint16, np.uint32, np.uint64): one("BitShift", i(1, 9, 5, dt=dt), i(0, 3, 5, dt=dt), direction=d)
for op in ("And", "Or", "Xor"): one(op, b(3, 4), b(4))
for op in ("BitwiseAnd", "BitwiseOr", "BitwiseXor"): one(op, i(0, 99, 3, 4, dt=np.int32), i(0, 99, 4, dt=np.int32)); one(op, i(0, 99, 4, dt=np.uint16), i(0, 99, 4, dt=np.uint16))
one("Not", b(5)); one("BitwiseNot", i(0, 99, 5, dt=np.uint8)); one("BitwiseNot", i(0, 99, 5, dt=np.int32))
for op in ("Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual"):
    for dt in (np.float32, np.float64, np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64): one(op, i(0, 4, 2, 3).astype(dt), i(0, 4, 3).astype(dt))
one("Equal", np.array(["a", "b"], object), np.array(["a", "c"], object), opset=19); one("Equal", b(4), b(4))
for dt in (np.float32, np.float64, np.int64, np.uint8, np.float16): one("Where", b(2, 3), f(3).astype(dt), f(2, 1).astype(dt))
one("Where", b(2), np.array(["a", "b"], object), np.array(["c"], object)); one("PRelu", f(2, 3, 4), p(3, 1)); one("PRelu", f(2, 40), s(0.1))


# types
types = [T.FLOAT, T.DOUBLE, T.FLOAT16, T.BFLOAT16, T.INT8, T.INT16, T.INT32, T.INT64, T.UINT8, T.UINT16, T.UINT32, T.UINT64, T.BOOL, T.FLOAT8E4M3FN, T.FLOAT8E4M3FNUZ, T.FLOAT8E5M2, T.FLOAT8E5M2FNUZ, T.INT4, T.UINT4, T.FLOAT4E2M1, T.INT2, T.UINT2]
for to in types:
    one("Cast", np.array([0, 1, 2, 1.5, 3], np.float32), to=to, opset=25, name=f"cast_{to}"); one("Cast", v(0, 1, 1, 0), to=to, opset=25, name=f"cast_int_{to}")
    x = np.array([0, 1, 1, 0]).astype(h.tensor_dtype_to_np_dtype(to)); one("Cast", x, to=T.FLOAT, opset=25, name=f"cast_from_{to}")
for to in (T.FLOAT8E4M3FN, T.FLOAT8E4M3FNUZ, T.FLOAT8E5M2, T.FLOAT8E5M2FNUZ):
    for sat in (0, 1): one("Cast", np.array([0.001, 470, -470, 1e6, -1e6, 3.3, np.nan, 0.0157, 57344, 61440], np.float32), to=to, saturate=sat, opset=25, name=f"cast_f8_{to}")
for r in ("up", "down", "nearest"): one("Cast", p(9), to=T.FLOAT8E8M0, round_mode=r, opset=25)
one("Cast", np.array(["1.5", "-2", "3e2"], object), to=T.FLOAT); one("Cast", np.array(["15", "-2"], object), to=T.INT64); one("Cast", i(0, 9, 4), to=T.STRING)
one("CastLike", f(4), i(0, 1, 1)); one("BitCast", f(4), to=T.INT32, opset=26); one("BitCast", i(-3, 3, 4, dt=np.int8), to=T.UINT8, opset=26)

# shapes
one("Reshape", f(2, 3, 4), v(0, -1)); one("Flatten", f(2, 3, 4), axis=2); one("Squeeze", f(1, 3, 1), v(0)); one("Squeeze", f(1, 3, 1)); one("Unsqueeze", f(3), v(0, 2)); one("Unsqueeze", f(3), opset=11, axes=[0])
one("Squeeze", f(1, 3), opset=11, axes=[0]); one("Shape", f(2, 3, 4)); one("Shape", f(2, 3, 4), start=1, end=-1); one("Size", f(2, 3)); one("ConstantOfShape", v(2, 3)); one("ConstantOfShape", v(2), value=h.make_tensor("t", T.INT64, [1], [7]))
for k, a in enumerate([dict(value=nh.from_array(f(2))), dict(value_float=1.5), dict(value_floats=[1.0, 2]), dict(value_int=3), dict(value_ints=[1, 2]), dict(value_string="a"), dict(value_strings=["a", "b"])]): one("Constant", **a)
for dt in (np.float32, np.int8, np.int16, np.float64): one("Transpose", f(3, 17, 18).astype(dt), perm=[1, 2, 0]); one("Transpose", f(20, 33).astype(dt))
one("Transpose", np.array([["a", "b"]], object)); one("Expand", f(3, 1), v(2, 1, 4)); one("Tile", f(2, 3), v(2, 1)); one("Concat", f(2, 3), f(2, 1), axis=1); one("Concat", f(2, 3), f(1, 3), axis=0)
one("Split", f(4, 6), v(2, 4), outs=2, axis=1); one("Split", f(4, 6), outs=3, axis=1, num_outputs=3); one("Split", f(4, 6), outs=2, axis=0, opset=11); one("Split", f(4, 6), outs=2, axis=1, opset=11, split=[1, 5])
one("Slice", f(4, 6, 5), v(1, 0), v(3, 6), v(0, 1), v(1, 2)); one("Slice", f(4, 6), v(-1), v(-9), v(0), v(-1)); one("Slice", f(4, 6), opset=9, starts=[1], ends=[3], axes=[1])
for mode in ("constant", "edge", "reflect", "wrap"): one("Pad", f(3, 4), v(1, 2, 0, 1), mode=mode)
one("Pad", f(3, 4), v(1, 1), s(3), v(1)); one("Pad", f(3, 4), opset=10, pads=[1, 0, 0, 2], mode="constant", value=2.0); one("Pad", i(0, 5, 3), v(1, -1)); one("Pad", f(4, 5), v(-1, 0, 1, -2))
for m in ("DCR", "CRD"): one("DepthToSpace", f(1, 8, 2, 3), blocksize=2, mode=m); one("SpaceToDepth", f(1, 2, 4, 6), blocksize=2, mode=m, opset=28)
for up in (0, 1): one("Trilu", f(3, 4, 5), s(1, np.int64), upper=up)
one("ReverseSequence", f(4, 3), v(1, 2, 4)); one("ReverseSequence", f(3, 4), v(1, 2, 4), batch_axis=0, time_axis=1); one("EyeLike", f(3, 4), k=1, dtype=T.FLOAT); one("EyeLike", f(3, 3))
for dt in (np.float32, np.float64, np.int16, np.int32, np.int64): one("Range", s(1, dt), s(9, dt), s(3, dt))
one("CenterCropPad", f(4, 5), v(6, 3)); one("CenterCropPad", f(2, 4, 5), v(3), axes=[1])

# indices
for ax in (0, 1): one("Gather", f(3, 4), i(-3, 3, 2, 2), axis=ax); one("GatherElements", f(3, 4), i(0, 3, 2, 4), axis=ax)
one("Gather", np.array(["a", "b"], object), v(1, 0)); one("GatherND", f(2, 3, 4), v(0, 1, 1, 2).reshape(2, 2)); one("GatherND", f(2, 3, 4), i(0, 3, 2, 1), batch_dims=1)
for red in ("none", "add", "mul", "max", "min"):
    for dt in (np.float32, np.int64, np.float64, np.int32):
        one("ScatterElements", f(3, 3).astype(dt), i(0, 3, 2, 3), f(2, 3).astype(dt), reduction=red); one("ScatterND", f(4, 3).astype(dt), v(1, 3).reshape(2, 1), f(2, 3).astype(dt), reduction=red)
one("Scatter", f(3, 3), i(0, 3, 1, 3), f(1, 3), opset=9, ort=True); one("OneHot", v(0, 2, -1), s(4, np.int64), f(2)); one("OneHot", v(0, 2), s(3, np.int64), f(2), axis=0); one("NonZero", f(3, 4) * b(3, 4)); one("NonZero", s([0, 1, 2]))
one("Compress", f(3, 4), np.array([True, False, True]), axis=0); one("Compress", f(3, 4), np.array([True, False, True, True]))
for la in (0, 1): one("TopK", f(3, 7), v(3), outs=2, largest=la); one("TopK", i(0, 9, 4, 5), v(2), outs=2, axis=0, largest=la)
for st in (0, 1): one("Unique", v(3, 1, 3, 2, 1), outs=4, sorted=st); one("Unique", f(3, 2)[[0, 1, 0]], outs=4, axis=0, sorted=st)

# reductions
for op in "ReduceSum ReduceMean ReduceMax ReduceMin ReduceProd ReduceL1 ReduceL2 ReduceSumSquare ReduceLogSum ReduceLogSumExp".split():
    x = p(3, 4, 5)
    for ax in ([0], [1], [2], [0, 2], [1, 2], [-1]): one(op, x, v(*ax), keepdims=len(ax) % 2)
    one(op, x); one(op, p(40, 33), v(0)); one(op, x.astype(np.float64), v(1)); one(op, x, opset=11, axes=[1]) if op != "ReduceSum" else None
    if op not in ("ReduceLogSum", "ReduceLogSumExp", "ReduceL2"): one(op, i(1, 4, 3, 4, dt=np.int32), v(1), ort=True); one(op, i(1, 4, 3, 4), v(0))
    one(op, x, v(dt=np.int64), noop_with_empty_axes=1) if op in ("ReduceSum", "ReduceMax", "ReduceMean") else None
for op in ("ReduceMax", "ReduceMin"):
    for dt in (np.int8, np.uint8): one(op, i(0, 9, 3, 4, dt=dt), v(1))
    one(op, f(2, 0, 3), v(1)); one(op, b(3, 4), v(1), opset=20); one(op, i(0, 9, 2, 0).astype(np.int32), v(1)); one(op, i(0, 9, 2, 0), v(1))
for op in ("ArgMax", "ArgMin"):
    for la in (0, 1): one(op, i(0, 4, 3, 9).astype(np.float32), axis=1, select_last_index=la, keepdims=la)
    for dt in (np.float64, np.int32, np.int64, np.int8, np.uint8): one(op, i(0, 9, 3, 4, dt=dt), axis=0)
for dt in (np.float32, np.float64, np.int32, np.int64): one("CumSum", i(1, 4, 3, 4).astype(dt), s(1, np.int64)); one("CumProd", i(1, 4, 3, 4).astype(dt), s(0, np.int64), opset=26)
one("CumSum", f(3, 4), s(0, np.int64), exclusive=1, reverse=1)

# products
one("MatMul", f(2, 3, 4), f(4, 5), const=(1,)); one("MatMul", f(2, 3, 4), f(2, 4, 5)); one("MatMul", f(4), f(4, 5)); one("MatMul", f(3, 4), f(4)); one("MatMul", f(2, 1, 3, 4), f(3, 4, 2)); one("MatMul", f(3, 4).astype(np.float16), f(4, 5).astype(np.float16))
for dt in (np.float64, np.int32, np.int64, np.uint32, np.uint64): one("MatMul", i(0, 5, 2, 3).astype(dt), i(0, 5, 3, 4).astype(dt))
for ta in (0, 1):
    for tb in (0, 1): one("Gemm", f(*((4, 3) if ta else (3, 4))), f(*((5, 4) if tb else (4, 5))), f(5), transA=ta, transB=tb, alpha=0.5, beta=2.0, const=(1,) if tb else ())
one("Gemm", f(3, 4), f(4, 5)); one("Gemm", f(3, 4), f(4, 5), f(3, 1)); one("Gemm", f(3, 4).astype(np.float64), f(4, 5).astype(np.float64), f(5).astype(np.float64), alpha=0.5)
for eq, sh in (("ij,jk->ik", [(2, 3), (3, 4)]), ("bij,bjk->bik", [(2, 3, 4), (2, 4, 2)]), ("ii->i", [(3, 3)]), ("ij->ji", [(2, 3)]), ("...ij,...jk->...ik", [(2, 2, 3), (2, 3, 2)]), ("bhqd,bhkd->bhqk", [(1, 2, 3, 4), (1, 2, 5, 4)]), ("ij->", [(2, 3)]), ("i,j->ij", [(2,), (3,)])): one("Einsum", *[f(*x) for x in sh], equation=eq)
one("Det", f(2, 3, 3)); one("MatMulInteger", i(0, 255, 3, 4, dt=np.uint8), i(-60, 60, 4, 5, dt=np.int8), s(3, np.uint8), s(1, np.int8))
one("QLinearMatMul", i(0, 255, 3, 4, dt=np.uint8), s(0.125), s(3, np.uint8), i(-60, 60, 4, 5, dt=np.int8), s(2.0**-6), s(1, np.int8), s(0.125), s(100, np.uint8))

# convolutions and pools
for kw in (dict(), dict(strides=[2, 2], pads=[1, 1, 1, 1]), dict(dilations=[2, 2]), dict(auto_pad="SAME_UPPER"), dict(auto_pad="SAME_LOWER", strides=[2, 2]), dict(auto_pad="VALID")): one("Conv", f(2, 4, 11, 12), f(6, 4, 3, 3), f(6), const=(1, 2), **kw)
one("Conv", f(1, 4, 9, 9), f(4, 1, 3, 3), group=4, pads=[1] * 4); one("Conv", f(1, 4, 9, 9), f(6, 2, 3, 3), f(6), group=2, const=(1,)); one("Conv", f(1, 3, 9), f(4, 3, 3)); one("Conv", f(1, 2, 5, 6, 7), f(3, 2, 2, 2, 2)); one("Conv", f(1, 4, 5, 5), f(6, 4, 1, 1), const=(1,)); one("Conv", f(1, 8, 20, 20), f(8, 1, 3, 3), f(8), group=8, strides=[2, 2], const=(1, 2))
one("Conv", f(1, 2, 7, 7).astype(np.float16), f(3, 2, 3, 3).astype(np.float16)); one("Conv", f(1, 3, 40, 40), f(8, 3, 7, 7), f(8), strides=[2, 2], pads=[3] * 4, const=(1, 2))
for kw in (dict(), dict(strides=[2, 2]), dict(strides=[2, 2], pads=[1] * 4, output_padding=[1, 1]), dict(dilations=[2, 2]), dict(auto_pad="SAME_UPPER", strides=[2, 2]), dict(output_shape=[10, 11], strides=[2, 2])): one("ConvTranspose", f(1, 3, 5, 5), f(3, 4, 3, 3), f(4), **kw)
one("ConvTranspose", f(1, 4, 5, 5), f(4, 2, 3, 3), group=2); one("ConvTranspose", f(1, 3, 5), f(3, 2, 3), strides=[2]); one("ConvTranspose", f(1, 2, 3, 3, 3), f(2, 2, 2, 2, 2))
one("ConvInteger", i(0, 255, 1, 2, 5, 5, dt=np.uint8), i(0, 255, 3, 2, 3, 3, dt=np.uint8), s(3, np.uint8), s(7, np.uint8)); one("ConvInteger", i(0, 255, 1, 2, 5, 5, dt=np.uint8), i(-60, 60, 3, 2, 3, 3, dt=np.int8))
one("QLinearConv", i(0, 255, 1, 2, 5, 5, dt=np.uint8), s(0.1), s(9, np.uint8), i(-60, 60, 3, 2, 3, 3, dt=np.int8), s([0.01, 0.02, 0.03]), v(0, 0, 0, dt=np.int8), s(0.2), s(99, np.uint8), i(-99, 99, 3, dt=np.int32), ort=True)
one("DeformConv", f(1, 2, 5, 5), f(3, 2, 2, 2), f(1, 8, 4, 4) * 0.5, f(3), p(1, 4, 4, 4), opset=22); one("Col2Im", f(1, 8, 9), v(4, 4), v(2, 2)); one("Col2Im", f(1, 4, 4), v(4, 4), v(2, 2), strides=[2, 2])
for op in ("MaxPool", "AveragePool", "LpPool"):
    for kw in (dict(), dict(strides=[2, 2], pads=[1, 1, 1, 1]), dict(strides=[2, 2], ceil_mode=1), dict(auto_pad="SAME_UPPER"), dict(dilations=[2, 2])): one(op, f(1, 2, 9, 10), kernel_shape=[3, 3], ort=op == "LpPool", **kw)
    one(op, f(1, 2, 9), kernel_shape=[3]); one(op, f(1, 2, 5, 5, 5), kernel_shape=[2, 2, 2])
one("AveragePool", f(1, 2, 9, 10), kernel_shape=[3, 3], pads=[1] * 4, count_include_pad=1); one("MaxPool", f(1, 2, 8, 8), outs=2, kernel_shape=[2, 2], strides=[2, 2]); one("MaxPool", f(1, 2, 8, 8), outs=2, kernel_shape=[2, 2], strides=[2, 2], storage_order=1, ort=True)
for dt in (np.uint8, np.int8, np.float64): one("MaxPool", i(0, 99, 1, 2, 6, 6).astype(dt), kernel_shape=[2, 2])
for op in ("GlobalAveragePool", "GlobalMaxPool"): one(op, f(2, 3, 4, 5))
one("GlobalLpPool", f(2, 3, 4, 5), ort=True); one("MaxUnpool", f(1, 1, 2, 2), v(5, 7, 13, 15).reshape(1, 1, 2, 2), kernel_shape=[2, 2], strides=[2, 2]); one("MaxRoiPool", f(1, 2, 6, 6), s([[0, 0, 0, 4, 4]]), pooled_shape=[2, 2], ort=True)

# normalisation
for op in ("Softmax", "LogSoftmax", "Hardmax"):
    for ax in (-1, 1, 0): one(op, f(2, 3, 5), axis=ax)
    one(op, f(2, 3, 5), axis=1, opset=11, ort=True); one(op, f(2, 3).astype(np.float64))
one("Softmax", f(2, 9).astype(np.float16), ort=True); one("BatchNormalization", f(2, 3, 4, 4), p(3), f(3), f(3), p(3)); one("BatchNormalization", f(2, 3, 4, 4), p(3), f(3), f(3), p(3), outs=3, training_mode=1)
one("InstanceNormalization", f(2, 3, 4, 4), p(3), f(3)); one("LayerNormalization", f(2, 3, 8), p(8), f(8)); one("LayerNormalization", f(2, 3, 8), p(3, 8), axis=1, outs=3); one("GroupNormalization", f(2, 4, 3, 3), p(4), f(4), num_groups=2)
one("GroupNormalization", f(2, 4, 3, 3), p(2), f(2), num_groups=2, opset=18)
for q in (1, 2): one("LpNormalization", f(3, 4), p=q, ort=True); one("LpNormalization", f(3, 4), axis=0, p=q, ort=True)
one("LRN", f(1, 6, 3, 3), size=3, alpha=0.1, bias=2.0, ort=True); one("MeanVarianceNormalization", f(2, 3, 4, 4)); one("RMSNormalization", f(2, 3, 8), p(8), opset=23); one("RMSNormalization", f(2, 3, 8), p(3, 8), axis=1, opset=23)

# attention and state
q, k, w = f(2, 4, 5, 8), f(2, 2, 6, 8), f(2, 2, 6, 8)
one("Attention", q, k, w, opset=24); one("Attention", q, k, w, is_causal=1, opset=24); one("Attention", q, k, w, f(5, 6), softcap=2.0, opset=24); one("Attention", q, k, w, b(2, 1, 5, 6), opset=24); one("Attention", f(2, 5, 32), f(2, 6, 16), f(2, 6, 16), q_num_heads=4, kv_num_heads=2, opset=24)
one("Attention", q, k, w, f(5, 9), f(2, 2, 3, 8), f(2, 2, 3, 8), outs=4, opset=24, is_causal=1, qk_matmul_output_mode=3); one("Attention", q, k, w, None, None, None, v(3, 6), is_causal=1, opset=24)
one("Attention", f(1, 1, 70, 8), f(1, 1, 70, 8), f(1, 1, 70, 8), is_causal=1, opset=24)
for inter in (0, 1): one("RotaryEmbedding", f(2, 3, 4, 8), f(9, 4), f(9, 4), i(0, 9, 2, 4), interleaved=inter, opset=23); one("RotaryEmbedding", f(2, 4, 24), f(2, 4, 4), f(2, 4, 4), num_heads=3, interleaved=inter, opset=23)
one("RotaryEmbedding", f(2, 3, 4, 8), f(9, 2), f(9, 2), i(0, 9, 2, 4), rotary_embedding_dim=4, opset=23)
for rule in ("linear", "gated", "delta", "gated_delta"): one("LinearAttention", f(1, 3, 16), f(1, 3, 8), f(1, 3, 12), f(1, 2, 4, 6), -p(1, 3, 8) if "gated" in rule else None, *([p(1, 3, 2)] if "delta" in rule else []), outs=2, q_num_heads=4, kv_num_heads=2, update_rule=rule, opset=27)
one("CausalConvWithState", f(2, 3, 6), f(3, 1, 4), f(3), f(2, 3, 3), outs=2, activation="silu", opset=27); one("CausalConvWithState", f(2, 3, 6), f(3, 1, 4), outs=2, opset=27)
for mode in ("linear", "circular"): one("TensorScatter", f(2, 3, 6, 4), f(2, 3, 2, 4), v(1, 4), mode=mode, opset=24)
for op, n in (("RNN", 1), ("GRU", 3), ("LSTM", 4)):
    H = 4
    for d in ("forward", "reverse", "bidirectional"):
        m = 2 if d == "bidirectional" else 1
        args = [f(5, 2, 3), f(m, n * H, 3), f(m, n * H, H), f(m, 2 * n * H), v(5, 3, dt=np.int32), f(m, 2, H)] + ([f(m, 2, H), f(m, 3 * H)] if op == "LSTM" else [])
        one(op, *args, outs=3 if op == "LSTM" else 2, hidden_size=H, direction=d, ort=True, const=(1, 2, 3), **(dict(linear_before_reset=1) if op == "GRU" and d != "reverse" else {}))
    one(op, f(5, 2, 3), f(1, n * H, 3), f(1, n * H, H), outs=2, hidden_size=H, ort=True)
    one(op, f(5, 2, 3), f(1, n * H, 3), f(1, n * H, H), outs=2, hidden_size=H, ort=True, clip=0.5, activations=["Sigmoid", "Relu", "Softsign"][:{"RNN": 1, "GRU": 2, "LSTM": 3}[op]])

# quantisation
for z in (np.uint8, np.int8, np.uint16, np.int16): one("QuantizeLinear", f(3, 4) * 5, s(0.1), s(3, z)); one("DequantizeLinear", i(0, 99, 3, 4, dt=z), s(0.1), s(3, z))
one("QuantizeLinear", f(3, 4), p(4), v(1, 2, 3, 4, dt=np.uint8), axis=1); one("DequantizeLinear", i(0, 99, 3, 4, dt=np.int8), p(3), v(1, 2, 3, dt=np.int8), axis=0); one("DequantizeLinear", i(-99, 99, 4, dt=np.int32), s(0.5)); one("DynamicQuantizeLinear", f(3, 5), outs=3)
one("QuantizeLinear", f(4, 6), p(4, 2), axis=1, block_size=3); one("DequantizeLinear", i(0, 99, 4, 6, dt=np.uint8), p(2, 6), axis=0, block_size=2); one("QuantizeLinear", f(9).astype(np.float16), s(0.1, np.float16), s(3, np.uint8)); one("DequantizeLinear", i(0, 99, 9, dt=np.int8), s(0.1, np.float16))
for to in (T.FLOAT8E4M3FN, T.FLOAT8E5M2, T.INT4, T.UINT4): one("QuantizeLinear", f(9) * 3, s(0.5), output_dtype=to, opset=23)

# pictures
for mode in ("nearest", "linear", "cubic"):
    for ct in ("half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel", "half_pixel_symmetric"): one("Resize", f(1, 1, 4, 5), None, s([1, 1, 2, 0.6]), mode=mode, coordinate_transformation_mode=ct)
    one("Resize", f(1, 1, 6, 6), None, s([1, 1, 0.5, 0.5]), mode=mode, antialias=int(mode != "nearest"), exclude_outside=int(mode == "cubic")); one("Resize", f(1, 1, 4, 4), None, None, v(1, 1, 7, 3), mode=mode)
for nm in ("floor", "ceil", "round_prefer_floor", "round_prefer_ceil"): one("Resize", f(1, 1, 4, 4), None, s([1, 1, 1.6, 0.7]), nearest_mode=nm)
one("Resize", f(1, 1, 4, 4), s([0.1, 0.2, 0.8, 1.3]), None, v(3, 4), mode="linear", coordinate_transformation_mode="tf_crop_and_resize", axes=[2, 3], extrapolation_value=9.0); one("Resize", f(1, 1, 4, 6), None, None, v(8, 9), axes=[2, 3], keep_aspect_ratio_policy="not_larger"); one("Resize", i(0, 255, 1, 1, 4, 4, dt=np.uint8), None, s([1, 1, 2, 2]), mode="nearest")
one("Upsample", f(1, 1, 2, 3), s([1, 1, 2, 2]), opset=9); one("Upsample", f(1, 1, 2, 3), s([1, 1, 2, 2]), opset=9, mode="linear", ort=True)
for mode in ("linear", "nearest", "cubic"):
    for pad in ("zeros", "border", "reflection"): one("GridSample", f(1, 2, 4, 5), np.clip(f(1, 3, 3, 2), -1.4, 1.4), mode=mode, padding_mode=pad, align_corners=int(pad == "border"))
one("GridSample", f(1, 1, 3, 4, 5), np.clip(f(1, 2, 2, 2, 3), -1.2, 1.2), mode="linear"); one("AffineGrid", f(2, 2, 3), v(2, 1, 3, 4)); one("AffineGrid", f(1, 3, 4), v(1, 1, 2, 3, 4), align_corners=1)
one("RoiAlign", f(1, 2, 6, 6), s([[0, 0, 4, 5], [1, 1, 3, 3]]), v(0, 0), output_height=2, output_width=2, sampling_ratio=2); one("RoiAlign", f(1, 2, 6, 6), s([[0, 0, 4, 5]]), v(0), mode="max", sampling_ratio=1, coordinate_transformation_mode="output_half_pixel", output_height=2, output_width=2, ort=True)
boxes = np.concatenate([p(1, 9, 2) * 3, p(1, 9, 2) * 3 + 2], -1).astype(np.float32)
one("NonMaxSuppression", boxes, p(1, 2, 9), s(3, np.int64), s(0.4), s(0.2)); one("NonMaxSuppression", boxes, p(1, 1, 9), s(3, np.int64), s(0.4), center_point_box=1)
from PIL import Image
for fmt in ("PNG", "BMP", "PPM", "TIFF"):
    buf = io.BytesIO(); Image.fromarray(i(0, 255, 3, 4, 3, dt=np.uint8)).save(buf, fmt)
    for pf in ("RGB", "BGR", "Grayscale"): one("ImageDecoder", np.frombuffer(buf.getvalue(), np.uint8), pixel_format=pf)

# losses, signals, words
for red in ("none", "mean", "sum"):
    for wt in (None, p(4)): one("NegativeLogLikelihoodLoss", f(3, 4), v(0, 3, 1), wt, reduction=red); one("SoftmaxCrossEntropyLoss", f(3, 4), v(0, 3, 1), wt, reduction=red, outs=2)
one("SoftmaxCrossEntropyLoss", f(2, 4, 3), i(0, 4, 2, 3), ignore_index=1)
for op, n in (("Adagrad", 1), ("Momentum", 1)): one(op, s(0.1), s(1, np.int64), f(3), f(3), p(3), outs=2, domain="ai.onnx.preview.training", norm_coefficient=0.01, **(dict(alpha=0.9, beta=0.8, mode="nesterov") if op == "Momentum" else dict(epsilon=1e-3)))
one("DFT", f(1, 8, 1)); one("DFT", f(1, 6, 2), inverse=1); one("DFT", f(1, 8, 1), None, s(1, np.int64), onesided=1); one("DFT", f(1, 5, 2), s(8, np.int64), s(1, np.int64), inverse=1, onesided=1); one("STFT", f(1, 16, 1), s(4, np.int64), p(8))
for op in ("HannWindow", "HammingWindow", "BlackmanWindow"): one(op, s(9, np.int64)); one(op, s(9, np.int64), periodic=0)
one("MelWeightMatrix", s(4, np.int64), s(16, np.int64), s(8000, np.int64), s(0.0), s(4000.0)); words = np.array(["Monday", "the", "Day"], object)
one("StringNormalizer", words, case_change_action="LOWER", stopwords=["the"]); one("StringNormalizer", words, case_change_action="UPPER", is_case_sensitive=1, stopwords=["the"]); one("StringConcat", words, np.array(["!"], object)); one("StringSplit", np.array(["a b  c", "d"], object), outs=2); one("StringSplit", np.array(["a,b,c", "d"], object), outs=2, delimiter=",", maxsplit=1)
one("StringSplit", np.array([" a b  c d"], object), outs=2, maxsplit=2); one("RegexFullMatch", words, pattern="[MD].*y")
for mode in ("TF", "IDF", "TFIDF"): one("TfIdfVectorizer", i(0, 5, 12), mode=mode, min_gram_length=1, max_gram_length=2, max_skip_count=1, ngram_counts=[0, 3], ngram_indexes=[0, 1, 2, 3, 4], pool_int64s=[0, 1, 2, 1, 2, 3, 4], weights=[0.5, 1, 2, 3, 4.0])

# control flow, sequences, optionals
def sub(name, nodes, ins, outs, inits=()): return h.make_graph(nodes, name, [h.make_tensor_value_info(n, t, sh) for n, t, sh in ins], [h.make_tensor_value_info(n, t, sh) for n, t, sh in outs], [nh.from_array(x, n) for n, x in dict(inits).items()])
then, other = sub("t", [h.make_node("Add", ["x", "x"], ["r"])], [], [("r", T.FLOAT, [3])]), sub("e", [h.make_node("Neg", ["x"], ["r2"])], [], [("r2", T.FLOAT, [3])])
for c in (True, False): write("if", [h.make_node("If", ["c"], ["y"], then_branch=then, else_branch=other)], {"c": s(c, np.bool_), "x": f(3)}, ["y"])
body = sub("b", [h.make_node("Add", ["a", "x"], ["a2"]), h.make_node("Identity", ["a2"], ["scan"]), h.make_node("ReduceSum", ["a2"], ["sum"], keepdims=0), h.make_node("Less", ["sum", "limit"], ["go"])], [("n", T.INT64, []), ("c", T.BOOL, []), ("a", T.FLOAT, [3])], [("go", T.BOOL, []), ("a2", T.FLOAT, [3]), ("scan", T.FLOAT, [3])], {"limit": s(9.0)})
write("loop", [h.make_node("Loop", ["m", "c", "a"], ["y", "all"], body=body)], {"m": s(5, np.int64), "c": s(True, np.bool_), "a": f(3), "x": p(3)}, ["y", "all"])
body = sub("s", [h.make_node("Add", ["st", "x"], ["st2"]), h.make_node("Mul", ["st2", "x"], ["o"])], [("st", T.FLOAT, [2]), ("x", T.FLOAT, [2])], [("st2", T.FLOAT, [2]), ("o", T.FLOAT, [2])])
for d in (0, 1): write("scan", [h.make_node("Scan", ["s0", "xs"], ["s1", "os"], body=body, num_scan_inputs=1, scan_input_directions=[d], scan_output_directions=[d])], {"s0": f(2), "xs": f(4, 2)}, ["s1", "os"])
chain("sequences", [("SequenceConstruct", ["a", "b"], ["s"], {}), ("SequenceInsert", ["s", "a", "zero"], ["s2"], {}), ("SequenceErase", ["s2", "one"], ["s3"], {}), ("SequenceAt", ["s3", "zero"], ["y"], {}), ("SequenceLength", ["s2"], ["n"], {}), ("ConcatFromSequence", ["s2"], ["cat"], dict(axis=0)), ("ConcatFromSequence", ["s2"], ["st"], dict(axis=0, new_axis=1))], {"a": f(2, 3), "b": f(2, 3)}, ["y", "n", "cat", "st", "s3"], {"zero": s(0, np.int64), "one": s(1, np.int64)})
one("SplitToSequence", f(5, 2), s(2, np.int64)); one("SplitToSequence", f(3, 2), keepdims=0); one("SplitToSequence", f(5, 2), v(2, 3)); chain("empty_sequence", [("SequenceEmpty", [], ["s"], dict(dtype=T.FLOAT)), ("SequenceInsert", ["s", "x"], ["s2"], {}), ("SequenceLength", ["s"], ["n"], {})], {"x": f(2)}, ["n", "s2"])
mb = sub("m", [h.make_node("Add", ["e", "k"], ["r"])], [("e", T.FLOAT, [2]), ("k", T.FLOAT, [2])], [("r", T.FLOAT, [2])])
write("sequence_map", [h.make_node("SequenceMap", ["s", "k"], ["y"], body=mb)], {"s": [f(2), f(2)], "k": f(2)}, ["y"], opset=17)
chain("optional", [("Optional", ["x"], ["o"], {}), ("OptionalHasElement", ["o"], ["has"], {}), ("OptionalGetElement", ["x"], ["y"], {})], {"x": f(3)}, ["has", "y"])
mod = sub("sm", [h.make_node("Mul", ["sc", "two"], ["out"])], [("sc", T.FLOAT, None)], [("out", T.FLOAT, None)], {"two": s(2.0)})
one("FlexAttention", q, f(2, 2, 6, 8), f(2, 2, 6, 8), domain="ai.onnx.preview", opset=26, score_mod=mod, prob_mod=mod)

# random draws without chance
one("Dropout", f(9)); one("Dropout", f(9), outs=2); one("Dropout", f(9), s(0.0), s(True, np.bool_), seed=1)

# what fusion looks for
c1 = dict(w=f(4, 3, 3, 3), b=f(4), g=p(4), be=f(4), m=f(4), va=p(4), one=s([[[0.5]]]), three=s(3.0), six=s(6.0), zero=s(0.0), ch=f(4, 1, 1), lo=s(-1.0), hi=s(1.0))
def conv_then(name, *rest): chain("fused_" + name, [("Conv", ["x", "w", "b"], ["c"], dict(pads=[1] * 4))] + list(rest), {"x": f(1, 3, 9, 9)}, ["y"], c1, 17)
conv_then("bn", ("BatchNormalization", ["c", "g", "be", "m", "va"], ["y"], {})); conv_then("bn_relu", ("BatchNormalization", ["c", "g", "be", "m", "va"], ["d"], {}), ("Relu", ["d"], ["y"], {})); conv_then("add", ("Add", ["c", "ch"], ["y"], {})); conv_then("mul", ("Mul", ["c", "ch"], ["y"], {}))
for a in ("Relu", "Sigmoid", "Tanh", "LeakyRelu", "HardSigmoid", "HardSwish"): conv_then(a, (a, ["c"], ["y"], {}))
conv_then("clip", ("Clip", ["c", "lo", "hi"], ["y"], {})); conv_then("silu", ("Sigmoid", ["c"], ["d"], {}), ("Mul", ["c", "d"], ["y"], {})); conv_then("relu_affine", ("Relu", ["c"], ["d"], {}), ("Mul", ["d", "six"], ["e"], {}), ("Add", ["e", "three"], ["y"], {}))
conv_then("hardswish", ("Add", ["c", "three"], ["d"], {}), ("Clip", ["d", "zero", "six"], ["e"], {}), ("Mul", ["c", "e"], ["f"], {}), ("Div", ["f", "six"], ["y"], {})); conv_then("hardswish2", ("Add", ["c", "three"], ["d"], {}), ("Clip", ["d", "zero", "six"], ["e"], {}), ("Div", ["e", "six"], ["f"], {}), ("Mul", ["c", "f"], ["y"], {}))
conv_then("leakymax", ("LeakyRelu", ["c"], ["d"], dict(alpha=0.2)), ("Max", ["d", "lo"], ["y"], {})); conv_then("residual", ("Conv", ["x", "w", "b"], ["c2"], dict(pads=[1] * 4)), ("Add", ["c", "c2"], ["d"], {}), ("Relu", ["d"], ["y"], {}))
ln = dict(two=s(2.0), eps=s(1e-5), g=p(8), be=f(8), w=f(8, 6), b=f(6))
chain("fused_layernorm", [("ReduceMean", ["x"], ["m"], dict(axes=[-1])), ("Sub", ["x", "m"], ["d"], {}), ("Pow", ["d", "two"], ["q"], {}), ("ReduceMean", ["q"], ["v"], dict(axes=[-1])), ("Add", ["v", "eps"], ["ve"], {}), ("Sqrt", ["ve"], ["sd"], {}), ("Div", ["d", "sd"], ["n"], {}), ("Mul", ["n", "g"], ["ng"], {}), ("Add", ["ng", "be"], ["l"], {}), ("MatMul", ["l", "w"], ["mm"], {}), ("Add", ["mm", "b"], ["a"], {}), ("Relu", ["a"], ["y"], {})], {"x": f(2, 3, 8)}, ["y"], ln, 17)
chain("half_weights", [("Cast", ["wh"], ["w"], dict(to=T.FLOAT)), ("MatMul", ["x", "w"], ["y"], {})], {"x": f(2, 8)}, ["y"], {"wh": f(8, 6).astype(np.float16)}, 17)
chain("tied", [("Gather", ["e", "ids"], ["x"], {}), ("Transpose", ["e"], ["t"], dict(perm=[1, 0])), ("MatMul", ["x", "t"], ["y"], {})], {"ids": v(1, 3).reshape(1, 2)}, ["y"], {"e": f(6, 8)}, 17)

# classical models
one("Scaler", f(3, 4), domain=ML, offset=[1.0, 2, 3, 4], scale=[0.5, 1, 2, 3]); one("Scaler", f(3, 4), domain=ML, offset=[1.0], scale=[2.0]); one("Binarizer", f(3, 4), domain=ML, threshold=0.2); one("Imputer", s([[1, np.nan], [3, 4]]), domain=ML, imputed_value_floats=[9.0, 8.0], replaced_value_float=float("nan")); one("ArrayFeatureExtractor", f(3, 4), v(1, 3), domain=ML)
one("Imputer", v(1, 2, 3, 4).reshape(2, 2), domain=ML, imputed_value_int64s=[9], replaced_value_int64=2)
for nrm in ("MAX", "L1", "L2"): one("Normalizer", f(3, 4), domain=ML, norm=nrm)
one("LabelEncoder", np.array(["a", "z"], object), domain=ML, keys_strings=["a", "b"], values_int64s=[1, 2]); one("LabelEncoder", v(1, 9), domain=ML, keys_int64s=[1, 2], values_strings=["a", "b"]); one("LabelEncoder", s([1, 2]), domain=ML, keys_floats=[1.0, 3.0], values_floats=[5.0, 6.0])
one("OneHotEncoder", v(1, 3, 9), domain=ML, cats_int64s=[1, 2, 3]); one("OneHotEncoder", np.array(["a", "b"], object), domain=ML, cats_strings=["b", "a"]); one("FeatureVectorizer", f(3, 2), f(3, 1), domain=ML, inputdimensions=[2, 1]); one("CategoryMapper", np.array(["a", "z"], object), domain=ML, ort=True, cats_strings=["a", "b"], cats_int64s=[5, 6]); one("CategoryMapper", v(5, 7), domain=ML, ort=True, cats_strings=["a", "b"], cats_int64s=[5, 6])
for post in ("NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO"): one("LinearClassifier", f(4, 3), outs=2, domain=ML, classlabels_ints=[1, 2, 3], coefficients=list(map(float, f(9))), intercepts=[0.1, 0.2, 0.3], post_transform=post)
one("LinearClassifier", f(4, 3), outs=2, domain=ML, classlabels_strings=["no", "yes"], coefficients=list(map(float, f(3))), intercepts=[0.1], post_transform="LOGISTIC", ort=True); one("LinearRegressor", f(4, 3), domain=ML, coefficients=list(map(float, f(6))), intercepts=[0.1, 0.2], targets=2)
tree = dict(nodes_treeids=[0] * 5 + [1] * 3, nodes_nodeids=[0, 1, 2, 3, 4, 0, 1, 2], nodes_featureids=[0, 0, 1, 0, 0, 2, 0, 0], nodes_values=[0.1, 0, -0.2, 0, 0, 0.3, 0, 0], nodes_modes=["BRANCH_LEQ", "LEAF", "BRANCH_GT", "LEAF", "LEAF", "BRANCH_LT", "LEAF", "LEAF"], nodes_truenodeids=[1, 0, 3, 0, 0, 1, 0, 0], nodes_falsenodeids=[2, 0, 4, 0, 0, 2, 0, 0])
leaves = [0, 0, 0, 1, 1], [1, 3, 4, 1, 2]
for agg in ("SUM", "AVERAGE", "MIN", "MAX"): one("TreeEnsembleRegressor", f(6, 3), domain=ML, ort=True, aggregate_function=agg, n_targets=1, target_treeids=leaves[0], target_nodeids=leaves[1], target_ids=[0] * 5, target_weights=[1.0, 2, 3, 4, 5], base_values=[0.5], **tree)
for post in ("NONE", "SOFTMAX", "LOGISTIC"):
    one("TreeEnsembleClassifier", f(6, 3), outs=2, domain=ML, ort=True, classlabels_int64s=[7, 8, 9], class_treeids=leaves[0], class_nodeids=leaves[1], class_ids=[0, 1, 2, 0, 1], class_weights=[1.0, 2, 3, 4, 5], post_transform=post, **tree)
    if post != "SOFTMAX": one("TreeEnsembleClassifier", f(6, 3), outs=2, domain=ML, ort=True, classlabels_strings=["no", "yes"], class_treeids=leaves[0], class_nodeids=leaves[1], class_ids=[0] * 5, class_weights=[-1.0, 2, -3, 4, 0.5], post_transform=post, **tree)
one("TreeEnsembleClassifier", f(6, 3), outs=2, domain=ML, classlabels_int64s=[0, 1], class_treeids=leaves[0] * 2, class_nodeids=leaves[1] * 2, class_ids=[0] * 5 + [1] * 5, class_weights=list(map(float, p(10))), **tree)
flat = dict(n_targets=2, tree_roots=[0, 2], nodes_modes=nh.from_array(v(0, 4, 3, dt=np.uint8)), nodes_splits=nh.from_array(f(3)), nodes_featureids=[0, 1, 2], nodes_truenodeids=[1, 0, 2], nodes_trueleafs=[0, 1, 1], nodes_falsenodeids=[3, 1, 4], nodes_falseleafs=[1, 1, 1], leaf_targetids=[0, 1, 1, 0, 0], leaf_weights=nh.from_array(f(5)))
one("TreeEnsemble", f(6, 3), domain=ML, opset=21, **flat); one("TreeEnsemble", f(6, 3), domain=ML, aggregate_function=0, **flat)
for kt in ("LINEAR", "POLY", "RBF", "SIGMOID"):
    one("SVMRegressor", f(4, 3), domain=ML, kernel_type=kt, kernel_params=[0.3, 0.1, 2.0], n_supports=2, support_vectors=list(map(float, f(6))), coefficients=[0.5, -0.7], rho=[0.2])
    one("SVMClassifier", f(4, 3), outs=2, domain=ML, ort=True, kernel_type=kt, kernel_params=[0.3, 0.1, 2.0], classlabels_ints=[0, 1, 2], vectors_per_class=[2, 1, 1], support_vectors=list(map(float, f(12))), coefficients=list(map(float, f(8))), rho=[0.1, 0.2, 0.3])
one("SVMClassifier", f(4, 3), outs=2, domain=ML, ort=True, kernel_type="RBF", kernel_params=[0.3, 0.1, 2.0], classlabels_ints=[0, 1, 2], vectors_per_class=[2, 1, 1], support_vectors=list(map(float, f(12))), coefficients=list(map(float, f(8))), rho=[0.1, 0.2, 0.3], prob_a=[-1.0, -0.5, -0.7], prob_b=[0.1, 0.0, 0.2]); one("SVMRegressor", f(4, 3), domain=ML, n_supports=0, coefficients=[0.5, -0.7, 0.2], rho=[0.2], one_class=1)

# ONNX Runtime's own
one("FusedMatMul", f(2, 3, 4), f(2, 5, 4), domain=MS, transB=1, alpha=0.5); one("FusedMatMul", f(3, 2, 4), f(2, 4, 5), domain=MS, transBatchA=1); one("FusedConv", f(1, 3, 8, 8), f(4, 3, 3, 3), f(4), domain=MS, const=(1, 2), activation="LeakyRelu", activation_params=[0.2], kernel_shape=[3, 3]); one("FusedGemm", f(2, 3), f(3, 4), f(4), domain=MS, activation="Relu")
one("SkipLayerNormalization", f(1, 2, 4), f(1, 2, 4), f(4), f(4), f(4), domain=MS, epsilon=1e-5); one("SkipSimplifiedLayerNormalization", f(1, 2, 4), f(1, 2, 4), f(4), domain=MS, epsilon=1e-5); one("EmbedLayerNormalization", i(0, 5, 2, 3, dt=np.int32), i(0, 2, 2, 3, dt=np.int32), f(5, 8), f(6, 8), f(2, 8), f(8), f(8), np.array([[1, 1, 1], [1, 1, 0]], np.int32), outs=2, domain=MS)
for op in ("BiasGelu", "FastGelu"): one(op, f(2, 4), f(4), domain=MS)
one("QuickGelu", f(2, 4), domain=MS); one("Gelu", f(2, 4), domain=MS); one("FastGelu", f(2, 4), domain=MS)
for bits in (4, 8):
    for const in ((1, 2, 3), ()): one("MatMulNBits", f(2, 48), i(0, 256, 6, 3, 16 * bits // 8, dt=np.uint8), p(18) * 0.1, i(0, 256, 6 * ((3 * bits + 7) // 8), dt=np.uint8), domain=MS, const=const, bits=bits, block_size=16, N=6, K=48) if const else one("MatMulNBits", f(2, 48), i(0, 256, 6, 3, 16 * bits // 8, dt=np.uint8), p(18) * 0.1, domain=MS, bits=bits, block_size=16, N=6, K=48)
one("MultiHeadAttention", f(2, 4, 8), f(2, 5, 8), f(2, 5, 8), f(24), np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], np.int32), f(2, 2, 4, 5), domain=MS, num_heads=2); one("MultiHeadAttention", f(2, 1, 8), f(2, 1, 8), f(2, 1, 8), None, None, None, f(2, 2, 3, 4), f(2, 2, 3, 4), outs=3, domain=MS, num_heads=2)
one("Attention", f(2, 4, 6), f(6, 24), f(24), np.array([3, 4], np.int32), domain=MS, num_heads=2, unidirectional=1); one("Attention", f(2, 1, 6), f(6, 24), f(24), None, f(2, 2, 2, 3, 4), outs=2, domain=MS, num_heads=2)
cos, sin = np.cos(f(20, 8)), np.sin(f(20, 8))
one("GroupQueryAttention", f(2, 4, 64), f(2, 4, 32), f(2, 4, 32), None, None, v(3, 3, dt=np.int32), s(4, np.int32), cos, sin, outs=3, domain=MS, num_heads=4, kv_num_heads=2, do_rotary=1); one("GroupQueryAttention", f(2, 1, 64), f(2, 1, 32), f(2, 1, 32), f(2, 2, 5, 16), f(2, 2, 5, 16), v(5, 5, dt=np.int32), s(6, np.int32), outs=3, domain=MS, num_heads=4, kv_num_heads=2, local_window_size=3)
one("GroupQueryAttention", f(2, 4, 128), None, None, None, None, v(3, 3, dt=np.int32), s(4, np.int32), outs=3, domain=MS, num_heads=4, kv_num_heads=2); one("RotaryEmbedding", f(2, 3, 32), v(2), cos, sin, domain=MS)
u8 = lambda *sh: i(0, 255, *sh, dt=np.uint8)
z = lambda x: s(x, np.uint8)
for op in ("Add", "Mul"): one("QLinear" + op, u8(2, 3, 4), s(0.1), z(100), u8(4), s(0.2), z(30), s(0.3), z(80), domain=MS)
one("QLinearSigmoid", u8(2, 3), s(0.05), z(120), s(1 / 256), z(0), domain=MS, const=(1, 2, 3, 4)); one("QLinearLeakyRelu", u8(2, 3), s(0.1), z(120), s(0.1), z(50), domain=MS, const=(1, 2, 3, 4), alpha=0.2); one("QLinearAveragePool", u8(1, 2, 5, 5), s(0.125), z(20), s(0.125), z(20), domain=MS, kernel_shape=[2, 2]); one("QLinearGlobalAveragePool", u8(1, 2, 5, 5), s(0.1), z(20), s(0.1), z(20), domain=MS)
one("QLinearConcat", s(0.1), z(10), u8(2, 3), s(0.1), z(20), u8(2, 2), s(0.2), z(5), domain=MS, const=(0, 1, 3, 4, 6, 7), axis=1); w8 = lambda *sh: i(-60, 60, *sh, dt=np.int8)
one("QGemm", u8(2, 6), s(0.1), z(20), w8(6, 4), s(0.02), s(0, np.int8), i(-50, 50, 4, dt=np.int32), s(0.1), z(100), domain=MS, const=(3, 4, 5)); one("DynamicQuantizeMatMul", f(2, 6), w8(6, 4), s(0.02), None, f(4), domain=MS, const=(1, 2)); one("MatMulIntegerToFloat", u8(2, 6), w8(6, 4), s(0.1), s(0.02), z(20), s(0, np.int8), f(4), domain=MS, const=(1, 3, 5))

archive.close()
out.close()
for line in lost: print("left out:", *line)
print(len(names) - len(lost), "fixtures")
