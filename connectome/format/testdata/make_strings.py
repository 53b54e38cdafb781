"""Make the files of this folder with MATLAB's strings: v73_strings.mat and
v5_strings.mat. MathWorks does not document how they are stored; the layout is
that of files which MATLAB R2016b and later write, with two string arrays.

Needs h5py. Run it in this folder: python3 make_strings.py
"""
import struct

import h5py
import numpy as np

W = np.array([
    [0.0, 1.5, 0, 0, 2],
    [0, 0, -0.25, 3, 0],
    [4, 0, 7, 0, 0],
    [0, 0, 0.125, 0, 1],
    [1, 0, 0, 0, 0],
])
NAMES = ["lh.one", "lh two", "rh,three", "rhFour", "stem"]
NOTE = ["made by a test"]


def words(texts):
    """A string array: version, dimensions, lengths, UTF-16."""
    text = "".join(texts).encode("utf-16-le")
    text += b"\0" * (-len(text) % 8)
    head = [1, 2, len(texts), 1] + [len(t) for t in texts]
    return np.concatenate([np.array(head, "<u8"), np.frombuffer(text, "<u8")])


def table():
    """The table of objects: object 1 holds value 0 (NOTE), object 2 value 1 (NAMES)."""
    names = b"any\0string\0"
    names += b"\0" * (-len(names) % 8)
    classes = struct.pack("<4I", 0, 0, 0, 0) + struct.pack("<4I", 0, 2, 0, 0)
    saved = struct.pack("<2I", 0, 0)
    for value in (0, 1):
        saved += struct.pack("<4I", 1, 1, 1, value)
    objects = struct.pack("<6I", 0, 0, 0, 0, 0, 0)
    for k in (1, 2):
        objects += struct.pack("<6I", 1, 0, 0, k, 0, k)
    rest = struct.pack("<2I", 0, 0)
    at, places = 40 + len(names), []
    for part in (classes, saved, objects, rest, rest):
        places.append(at)
        at += len(part)
    places += [at] * 3
    return struct.pack("<2I", 4, 2) + struct.pack("<8I", *places) + names + classes + saved + objects + rest + rest


def reference(number):
    return np.array([0xDD000000, 2, 1, 1, number, 1], "<u4")


# --- version 7.3
with h5py.File("v73_strings.mat", "w", libver="earliest", userblock_size=512) as f:
    refs = f.create_group("#refs#")

    def put(name, data, kind):
        d = refs.create_dataset(name, data=data)
        d.attrs["MATLAB_class"] = np.bytes_(kind)
        return d.ref

    parts = [
        put("a", np.frombuffer(table(), "u1")[:, None], "uint8"),
        put("b", np.array([0, 0], "u8"), "canonical empty"),
        put("c", words(NOTE)[:, None], "uint64"),
        put("d", words(NAMES)[:, None], "uint64"),
        put("e", np.array([0, 0], "u8"), "cell"),
    ]
    mcos = f.create_group("#subsystem#").create_dataset("MCOS", (len(parts), 1), dtype=h5py.ref_dtype)
    for k, r in enumerate(parts):
        mcos[k, 0] = r
    mcos.attrs["MATLAB_class"] = np.bytes_("FileWrapper__")
    f.create_dataset("CIJ", data=W.T).attrs["MATLAB_class"] = np.bytes_("double")
    for name, number in (("note", 1), ("regions", 2)):
        d = f.create_dataset(name, data=reference(number)[None])
        d.attrs["MATLAB_class"] = np.bytes_("string")
        d.attrs["MATLAB_object_decode"] = np.int32(3)
with open("v73_strings.mat", "r+b") as f:
    f.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64, Created on: by a test HDF5 schema 1.00 .".ljust(116) + b"\0" * 8 + b"\0\2IM")


# --- version 5
def element(kind, body):
    return struct.pack("<2I", kind, len(body)) + body + b"\0" * (-len(body) % 8)


def array(kind, name, shape, body):
    head = element(6, struct.pack("<2I", kind, 0)) + element(5, struct.pack("<%di" % len(shape), *shape)) + element(1, name)
    return element(14, head + body)


def opaque(name, kind, body):
    return element(14, element(6, struct.pack("<2I", 17, 0)) + element(1, name) + element(1, b"MCOS") + element(1, kind) + body)


def uint64(texts):
    w = words(texts)
    return array(15, b"", (len(w), 1), element(13, w.tobytes()))


t = table()
cells = [array(9, b"", (len(t), 1), element(2, t)), array(6, b"", (0, 0), element(9, b"")), uint64(NOTE), uint64(NAMES)]
wrapper = opaque(b"", b"FileWrapper__", array(1, b"", (len(cells), 1), b"".join(cells)))
inner = b"\0\1IM" + b"\0" * 4 + array(2, b"", (1, 1), element(5, struct.pack("<i", 5)) + element(1, b"MCOS\0") + wrapper)
variables = array(6, b"CIJ", (5, 5), element(9, W.T.tobytes()))
for name, number in ((b"note", 1), (b"regions", 2)):
    variables += opaque(name, b"string", array(13, b"", (6, 1), element(6, reference(number).tobytes())))
with open("v5_strings.mat", "wb") as f:
    f.write(b"MATLAB 5.0 MAT-file, by a test".ljust(116) + struct.pack("<Q", 128 + len(variables)) + b"\0\1IM")
    f.write(variables + array(9, b"", (1, len(inner)), element(2, inner)))
