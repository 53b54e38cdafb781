"""Make the binary and foreign-written fixtures of this folder.

Needs Debian's python3-h5py, python3-scipy and python3-networkx. Every file
holds the connectome of five regions below (row = source), so that one test can
check them all. Run it in this folder: python3 make.py
"""
import bz2
import gzip
import io
import json
import os
import sqlite3
import struct
import zipfile

import h5py
import networkx as nx
import numpy as np
import scipy.io
import scipy.sparse

W = np.array([
    [0.0, 1.5, 0, 0, 2],
    [0, 0, -0.25, 3, 0],
    [4, 0, 7, 0, 0],
    [0, 0, 0.125, 0, 1],
    [1, 0, 0, 0, 0],
])
L = np.where(W != 0, 10 + np.arange(25).reshape(5, 5), 0.0)
NAMES = ["lh.one", "lh two", "rh,three", "rhFour", "stem"]
XYZ = np.array([[-10, 0, 5.5], [-20, 1, 6], [10, 0, 7], [20, 1, 8], [0, -30, -20.25]])

# --- HDF5 in the shapes that its versions give it
with h5py.File("tvb_earliest.h5", "w", libver="earliest") as f:
    f["weights"] = W.T
    f["tract_lengths"] = L.T
    f["centres"] = XYZ
    f["region_labels"] = np.array(NAMES, dtype="S16")
    f["hemispheres"] = np.array([False, False, True, True, True])
with h5py.File("tvb_latest.h5", "w", libver="latest") as f:  # dense links, vlen text
    f.create_dataset("weights", data=W.T, chunks=(2, 3), compression="gzip", shuffle=True, fletcher32=True)
    f.create_dataset("tract_lengths", data=L.T.astype("f4"), chunks=(5, 5), compression="gzip")
    f["centres"] = XYZ
    f.create_dataset("region_labels", data=NAMES, dtype=h5py.string_dtype())
    f["hemispheres"] = np.array([0, 0, 1, 1, 1], dtype="u1")
    for k in range(30):
        f["extra%02d" % k] = np.arange(k)
with h5py.File("plain_chunked.h5", "w", libver="earliest") as f:
    g = f.create_group("group")
    g.create_dataset("matrix", data=W.astype(">f4"), chunks=(2, 2), maxshape=(None, None), compression="gzip", shuffle=True)
    g.create_dataset("labels", data=np.array(NAMES, dtype=object), dtype=h5py.string_dtype())
with h5py.File("many_links.h5", "w", libver="latest") as f:
    for k in range(400):
        f["node%03d" % k] = np.int8(k % 100)
    f["weights"] = W

# --- MATLAB 7.3: HDF5 behind 512 bytes, transposed
def mat73(name, variables):
    with h5py.File(name, "w", libver="earliest", userblock_size=512) as f:
        refs = f.create_group("#refs#")
        for key, value in variables.items():
            if isinstance(value, list):  # a cell array of texts
                cells = []
                for k, text in enumerate(value):
                    d = refs.create_dataset("c%d" % k, data=np.array([[ord(c)] for c in text], dtype="u2"))
                    d.attrs["MATLAB_class"] = np.bytes_("char")
                    cells.append(d.ref)
                d = f.create_dataset(key, data=np.array([cells], dtype=h5py.ref_dtype), dtype=h5py.ref_dtype)
                d.attrs["MATLAB_class"] = np.bytes_("cell")
            elif scipy.sparse.issparse(value):
                c = value.tocsc()
                g = f.create_group(key)
                g.attrs["MATLAB_sparse"] = np.uint64(c.shape[0])
                g["data"], g["ir"], g["jc"] = c.data, c.indices.astype("u8"), c.indptr.astype("u8")
            else:
                d = f.create_dataset(key, data=value.T, chunks=value.T.shape, compression="gzip")
                d.attrs["MATLAB_class"] = np.bytes_("double")
    with open(name, "r+b") as f:
        head = b"MATLAB 7.3 MAT-file, Platform: GLNXA64, Created on: Sun Nov 22 12:00:00 2026 HDF5 schema 1.00 ."
        f.write(head.ljust(116) + b"\0" * 8 + b"\x00\x02IM")
mat73("v73.mat", {"CIJ": W, "Names": NAMES, "Coord": XYZ})
mat73("v73_sparse.mat", {"CIJ": scipy.sparse.csc_matrix(W)})

# --- MATLAB 5
scipy.io.savemat("v4.mat", {"CIJ": W, "Names": np.array(NAMES)}, format="4")
with open("v4_lines.mat", "wb") as f:  # DSI Studio: single precision, one text of lines
    for name, kind, values in [("connectivity", 10, W.astype("f4")), ("atlas", 51, np.frombuffer(b"test", "u1")[None]),
                               ("name", 51, np.frombuffer("\n".join(NAMES + [""]).encode(), "u1")[None])]:
        f.write(struct.pack("<5i", kind, *values.shape, 0, len(name) + 1) + name.encode() + b"\0" + values.tobytes("F"))
scipy.io.savemat("v5.mat", {"CIJ": W, "Names": np.array(NAMES, dtype=object), "Coord": XYZ}, do_compression=True)
scipy.io.savemat("v5_chars.mat", {"CIJ": W, "Names": np.array(NAMES)}, do_compression=False)
scipy.io.savemat("v5_sparse.mat", {"CIJ": scipy.sparse.csc_matrix(W)}, do_compression=True)
scipy.io.savemat("v5_small.mat", {"adj": (W != 0).astype("i1")}, do_compression=False)
scipy.io.savemat("v5_two.mat", {"CIJctx": W[:4, :4], "CIJall": W, "Names": np.array(NAMES, dtype=object)})
scipy.io.savemat("v5_lengths.mat", {"sc": W, "len": L})
scipy.io.savemat("v5_struct.mat", {"s": {"CIJ": W, "Names": np.array(NAMES, dtype=object)}})
scipy.io.savemat("v5_subjects.mat", {"sc": np.stack([W, 3 * W], axis=2)})

# --- NumPy
np.save("order_f.npy", np.asfortranarray(W))
np.save("big_endian.npy", W.astype(">f4"))
np.save("half.npy", W.astype("f2"))
np.savez_compressed("named.npz", weights=W, tract_lengths=L, labels=np.array(NAMES))
for layout in ["csr", "csc", "coo"]:
    scipy.sparse.save_npz(f"sparse_{layout}.npz", scipy.sparse.csr_matrix(W).asformat(layout))
np.savez("two.npz", a=W, b=2 * W)
np.save("bands.npy", np.stack([W, 3 * W]))

# --- graph files as NetworkX writes them
G = nx.DiGraph()
for i, n in enumerate(NAMES):
    G.add_node(n, x=float(XYZ[i, 0]), y=float(XYZ[i, 1]), z=float(XYZ[i, 2]))
for i in range(5):
    for j in range(5):
        if W[i, j]:
            G.add_edge(NAMES[i], NAMES[j], weight=float(W[i, j]), length=float(L[i, j]))
nx.write_graphml(G, "networkx.graphml")
nx.write_gexf(G, "networkx.gexf")
nx.write_gml(G, "networkx.gml")
P = nx.DiGraph()
for i, n in enumerate(NAMES):
    P.add_node(n)
for a, b, w in G.edges(data="weight"):
    P.add_edge(a, b, weight=w)
nx.write_pajek(P, "networkx.net")
with open("networkx.json", "w") as f:
    json.dump(nx.node_link_data(G), f)

# --- MatrixMarket
scipy.io.mmwrite("coordinate.mtx", scipy.sparse.coo_matrix(W))
scipy.io.mmwrite("array.mtx", W)

# --- CIFTI-2: little-endian float32, and big-endian float64 with two maps
def cifti(name, order, dtype, code, maps, intent=3003):
    parcels = "".join('<Parcel Name="%s"><Vertices BrainStructure="CIFTI_STRUCTURE_CORTEX_%s">0 1</Vertices></Parcel>'
                      % (n, "LEFT" if i < 2 else "RIGHT") for i, n in enumerate(NAMES))
    xml = '<?xml version="1.0" encoding="UTF-8"?><CIFTI Version="2"><Matrix>' + "".join(
        '<MatrixIndicesMap AppliesToMatrixDimension="%s" IndicesMapToDataType="CIFTI_INDEX_TYPE_PARCELS">%s</MatrixIndicesMap>'
        % (m, parcels) for m in maps) + "</Matrix></CIFTI>"
    body = xml.encode()
    esize = (8 + len(body) + 15) // 16 * 16
    offset = 544 + esize
    h = bytearray(544)
    struct.pack_into(order + "i", h, 0, 540)
    h[4:12] = b"n+2\0\r\n\x1a\n"
    struct.pack_into(order + "hh", h, 12, code, np.dtype(dtype).itemsize * 8)
    struct.pack_into(order + "8q", h, 16, 6, 1, 1, 1, 1, 5, 5, 1)
    struct.pack_into(order + "q", h, 168, offset)
    struct.pack_into(order + "dd", h, 176, 1.0, 0.0)
    struct.pack_into(order + "i", h, 504, intent)
    h[540] = 1
    ext = struct.pack(order + "ii", esize, 32) + body.ljust(esize - 8, b"\0")
    with open(name, "wb") as f:
        f.write(bytes(h) + ext + W.astype(order + dtype).tobytes())
cifti("little.pconn.nii", "<", "f4", 16, ["0,1"])
cifti("big.pconn.nii", ">", "f8", 64, ["0", "1"])
cifti("dense.dconn.nii", "<", "f4", 16, ["0,1"], intent=3001)

# --- bzip2, which Go can read but not write
buf = io.StringIO()
np.savetxt(buf, W, fmt="%.8g", delimiter=",")
with open("matrix.csv.bz2", "wb") as f:
    f.write(bz2.compress(buf.getvalue().encode()))
with zipfile.ZipFile("tvb_bz2.zip", "w", zipfile.ZIP_DEFLATED) as z:
    def text(a):
        b = io.StringIO()
        np.savetxt(b, a, fmt="%.8g")
        return b.getvalue()
    z.writestr("__MACOSX/._weights.txt", b"\x00\x05\x16\x07")
    z.writestr("sub/.hidden", "x")
    z.writestr("sub/Weights.txt.bz2", bz2.compress(text(W.T).encode()))
    z.writestr("sub/tract_lengths.txt.bz2", bz2.compress(text(L.T).encode()))
    centres = "".join('"%s" %g %g %g None\n' % (n, *p) for n, p in zip(NAMES, XYZ)) + "\n"
    z.writestr("sub/centres.txt.bz2", bz2.compress(centres.encode()))
    z.writestr("sub/hemisphere.txt", "0\n0\n1\n1\n1\n")
    z.writestr("sub/info.txt", "free text: weights of five regions\n")

# --- SQLite, with small pages so that small files have trees of several levels
def database(name, *statements, encoding="UTF-8"):
    path = "sqlite_" + name + ".sqlite"
    if os.path.exists(path):
        os.remove(path)
    db = sqlite3.connect(path)
    db.execute("pragma page_size = 512")
    db.execute("pragma encoding = '%s'" % encoding)
    for s in statements:
        db.execute(s)
    db.commit()
    db.close()


edges = ("create table edges (source text, target text, weight real)", "insert into edges values ('a', 'b', 2), ('b', 'a', 2.5), ('c', 'a', null)")
database("edges", *edges)
database("two", *edges, "create table gaps (pre text, post text, n integer)", "insert into gaps values ('x', 'y', 1), ('y', 'x', 2)")
database("regions", "create table regions (id integer primary key, name text, x real, y real, z real, hemisphere text)",
         "insert into regions values (7, 'lh-a', -10, 0, 1, 'left'), (8, 'rh-a', 10, 0, 1, 'right'), (9, 'rh-b', 12, 5, 1, 'right')",
         "create table tracts (id integer primary key, p integer references regions (id), q integer references regions (id), streamlines integer)",
         "insert into tracts (p, q, streamlines) values (7, 8, 5), (9, 7, 3), (7, 9, 1)")
database("nodes", "create table nodes (id text, label text)", "insert into nodes values ('n1', 'V1'), ('n2', 'V2'), ('n3', 'V4')",
         "create table links (pre_id text, post_id text, n integer)", "insert into links values ('n1', 'n2', 4), ('n2', 'n1', 3)")
database("monkeys", "create table t (monkey text, goes text, gets text, w real)", "insert into t values ('M1', 'V1', 'V2', 0.5), ('M2', 'V2', 'V1', 0.25)")
database("shared", "create table t (one text, two text)", "insert into t values ('a', 'b'), ('b', 'c'), ('c', 'a')")
database("kinds", "create table t (pre text, post text, type text, n integer)", "insert into t values ('a', 'b', 'chemical', 3), ('b', 'c', 'electrical', 2)")
database("matrix", 'create table sc (region text, "a" real, "b" real, "c" real)', "insert into sc values ('a', 0, 1, 2), ('b', 1, 0, 0), ('c', 2, 0, 0)")
database("marks", "create table t (source text, target text)", "insert into t values ('a\tb', '\"c'), ('\"c', '#d\n')")
database("numbers", "create table t (a integer, b integer, c integer)", "insert into t values (1, 2, 3)")
database("holes", "create table t (source text, target text, weight)", "insert into t values ('x', 'y', 1), ('y', null, 2)")
database("words", "create table t (source text, target text, weight)", "insert into t values ('x', 'y', 1), ('y', 'z', 'much')")
database("view", "create view e as select 'a' as source, 'b' as target")
# A tree of several levels; a key that is no row number; a column that is
# computed and one that came later; texts on overflow pages; UTF-16.
chain = "with recursive n(i) as (select 0 union all select i + 1 from n where i < 999) insert into edges %s select %s from n"
database("deep", "create table edges (note text, weight real not null, twice as (2 * weight), source text /* , x */, target text, primary key (target, source)) without rowid",
         chain % ("(note, weight, source, target)", "iif(i % 25 = 0, printf('%.*c', i, 'n'), 'n'), i + 0.5, printf('r%d', i), printf('r%d', (i * 7 + 1) % 1000)"), encoding="UTF-16be")
database("late", "create table edges (\"source\" text, [target] text, `weight` int default 3)",
         chain % ("(source, target, weight)", "'r' || i, 'r' || ((i * 7 + 1) % 1000), (i - 500) * (i * 1000001 % 99991) * 12345"),
         "alter table edges add column length real default 1.5", encoding="UTF-16le")
