"""Make the HDF5 files of this folder that hold the five regions of make.py as
tables and columns of edges.

Needs h5py, pandas and PyTables. Run it in this folder: python3 make_tables.py
"""
import gzip
import os

import h5py
import numpy as np
import pandas as pd

W = np.array([
    [0.0, 1.5, 0, 0, 2],
    [0, 0, -0.25, 3, 0],
    [4, 0, 7, 0, 0],
    [0, 0, 0.125, 0, 1],
    [1, 0, 0, 0, 0],
])
NAMES = ["lh.one", "lh two", "rh,three", "rhFour", "stem"]
edges = pd.DataFrame([(NAMES[i], NAMES[j], W[i, j]) for i in range(5) for j in range(5) if W[i, j]], columns=["source", "target", "weight"])

# --- pandas: blocks of columns of one type, and a table that PyTables indexes
edges.to_hdf("edges_pandas_fixed.h5", key="edges", mode="w")
with open("edges_pandas_fixed.h5", "rb") as f, gzip.GzipFile("edges_pandas_fixed.h5.gz", "wb", mtime=0) as z:
    z.write(f.read())  # two megabytes of zeros
os.remove("edges_pandas_fixed.h5")
edges.to_hdf("edges_pandas_table.h5", key="edges", mode="w", format="table", data_columns=["target"], complevel=9)

# --- h5py: records with texts of one length and of any, an array within, a table
# of nodes beside them, and columns that are data sets
with h5py.File("edges_records.h5", "w", libver="v110") as f:
    kind = np.dtype([("pre", "S8"), ("xyz", "<f4", (3,)), ("post", h5py.string_dtype()), ("sign", h5py.enum_dtype({"minus": -1, "plus": 1}, "i1")), ("weight", ">f4")])
    rows = [(s.encode(), (1, 2, 3), t, 1, w) for s, t, w in edges.itertuples(index=False)]
    f.create_dataset("synapses", data=np.array(rows, dtype=kind), chunks=(4,), compression="gzip")
    f["cells"] = np.array([(n.encode(), k) for k, n in enumerate(NAMES)], dtype=[("name", "S8"), ("id", "<i4")])
with h5py.File("edges_columns.h5", "w", libver="earliest") as f:
    g = f.create_group("edges/one_to_all")
    g["source_name"] = edges.source.to_list()
    g["target_name"] = edges.target.to_list()
    g["0/syn_weight"] = edges.weight.to_numpy()
    g["0/delay"] = np.ones(len(edges))
    f["edges/indices"] = np.arange(3)
