"""Asks `wire serve` with tritonclient: triton.py HTTP GRPC PICTURE WANT, where
WANT is what `wire run --json` printed of the picture."""
import json
import queue
import sys

import numpy as np
import tritonclient.grpc as tg
import tritonclient.http as th

http, grpc, picture, want = sys.argv[1:]
want = json.loads(want)["answers"]
data = np.array([open(picture, "rb").read()], dtype=object)

h = th.InferenceServerClient(http)
assert h.is_server_live() and h.is_server_ready() and h.is_model_ready("default")
assert h.get_server_metadata()["name"] == "wire"
meta = h.get_model_metadata("default")
assert [p["name"] for p in meta["inputs"]] == ["image", "sound"], meta
assert "caption" in [p["name"] for p in meta["outputs"]], meta


def text(v):  # JSON gives str, binary data bytes
    return v if isinstance(v, str) else v.decode()


def check(result, how):
    assert json.loads(result.as_numpy("answers")[0]) == want, (how, result.as_numpy("answers"), want)
    assert text(result.as_numpy("caption")[0]) == want["caption"]["text"], how
    assert result.as_numpy("caption.confidence")[0] == want["caption"]["confidence"], how


outputs = ["caption", "caption.confidence", "answers"]
given = th.InferInput("image", [1], "BYTES")
given.set_data_from_numpy(data)  # binary
for binary in True, False:
    wanted = [th.InferRequestedOutput(n, binary_data=binary) for n in outputs]
    check(h.infer("default", [given], outputs=wanted), f"http, binary {binary}")
    check(h.infer("default", [given], outputs=wanted, request_compression_algorithm="gzip", response_compression_algorithm="gzip"), "http, gzip")
    check(h.infer("default", [given], outputs=wanted, request_compression_algorithm="deflate", response_compression_algorithm="deflate"), "http, deflate")
twice = th.InferInput("image", [2], "BYTES")
twice.set_data_from_numpy(np.concatenate([data, data]))
texts = h.infer("default", [twice]).as_numpy("caption")
assert [text(v) for v in texts] == [want["caption"]["text"]] * 2, texts
pixels = th.InferInput("image", [1, 8, 8, 3], "UINT8")
pixels.set_data_from_numpy(np.full((1, 8, 8, 3), 200, np.uint8))
assert len(h.infer("default", [pixels]).as_numpy("caption")) == 1
try:
    h.infer("default", [th.InferInput("nose", [1], "BYTES").set_data_from_numpy(data)])
    raise SystemExit("an unknown input was taken")
except th.InferenceServerException as e:
    assert "nose" in str(e), e
assert h.get_model_repository_index()[0]["state"] == "READY"
h.load_model("default")
assert h.get_model_repository_index()[0]["version"] == "2"

g = tg.InferenceServerClient(grpc)
assert g.is_server_live() and g.is_server_ready() and g.is_model_ready("default")
assert g.get_model_metadata("default").outputs[0].name == "caption"
given = tg.InferInput("image", [1], "BYTES")
given.set_data_from_numpy(data)
wanted = [tg.InferRequestedOutput(n) for n in outputs]
check(g.infer("default", [given], outputs=wanted), "grpc")
check(g.infer("default", [given], outputs=wanted, compression_algorithm="gzip", client_timeout=60), "grpc, gzip")
try:
    g.infer("nothing", [given])
    raise SystemExit("an unknown model was asked")
except tg.InferenceServerException as e:
    assert e.status() == "StatusCode.NOT_FOUND", e
heard = queue.Queue()
g.start_stream(lambda result, error: heard.put((result, error)))
g.async_stream_infer("default", [given], outputs=wanted)
words = ""
while True:
    result, error = heard.get(timeout=60)
    assert error is None, error
    if result.get_response().parameters["triton_final_response"].bool_param:
        check(result, "grpc stream")
        break
    words += result.as_numpy("caption")[0].decode()
g.stop_stream()
assert words == want["caption"]["text"], words
print("ok")
