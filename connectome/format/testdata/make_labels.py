"""Make the label tables of this folder, with nibabel as their users do.

Needs numpy and nibabel. Run it in this folder: python3 make_labels.py
"""
import nibabel as nib
import numpy as np
from nibabel import cifti2, gifti

# --- FreeSurfer annotations: "absent" labels no vertex, "unknown" is background
colours = np.array([[25, 5, 25, 0, 0], [25, 100, 40, 0, 0], [125, 100, 160, 0, 0], [1, 2, 3, 0, 0], [100, 25, 0, 0, 0]])
names = ["unknown", "bankssts", "cuneus", "absent", "insula"]
for side in ("lh", "rh"):
    nib.freesurfer.write_annot(side + ".three.annot", np.array([0, 1, 1, 2, 4, 4, 0]), colours, names, fill_ctab=True)

# --- GIFTI and CIFTI tables of labels
table = gifti.GiftiLabelTable()
for key, name in enumerate(["???", "bankssts", "cuneus", "insula"]):
    l = gifti.GiftiLabel(key, red=0.5, green=0.25, blue=0.1, alpha=1)
    l.label = name
    table.labels.append(l)
array = gifti.GiftiDataArray(np.array([0, 1, 2, 3, 3], dtype="i4"), intent="NIFTI_INTENT_LABEL")
for side in "LR":
    meta = gifti.GiftiMetaData({"AnatomicalStructurePrimary": {"L": "CortexLeft", "R": "CortexRight"}[side]})
    nib.save(gifti.GiftiImage(meta=meta, labeltable=table, darrays=[array]), "three." + side + ".label.gii")
keys = {0: ("???", (1, 1, 1, 0)), 3: ("L_V1", (1, 0, 0, 1)), 7: ("R_V1", (0, 1, 0, 1)), 9: ("absent", (0, 0, 1, 1))}
brain = cifti2.BrainModelAxis.from_mask(np.ones(5), name="CortexLeft") + cifti2.BrainModelAxis.from_mask(np.ones(3), name="CortexRight")
labels = cifti2.LabelAxis(["map"], [keys])
data = np.array([[0, 3, 3, 3, 0, 7, 7, 0]], dtype="f4")
nib.save(cifti2.Cifti2Image(data, header=(labels, brain)), "two.dlabel.nii")

# --- a volume of three regions, whose centres are known
voxels = np.zeros((5, 4, 3), dtype="i2")
voxels[0, :2, 0] = 17
voxels[4, 1, 1:] = 53
voxels[2, 2, 2] = 1001
image = nib.Nifti1Image(voxels, np.array([[-2.0, 0, 0, 10], [0, 2, 0, -20], [0, 0, 2, 5], [0, 0, 0, 1]]))
image.header["descrip"] = b""
nib.save(image, "volume.nii.gz")
xml = ('<?xml version=\'1.0\' ?>\n<AFNI_attributes ni_form="ni_group" >\n<AFNI_atr ni_type="String" ni_dimen="1" atr_name="VALUE_LABEL_DTABLE" >\n'
       '"<VALUE_LABEL_DTABLE\n ni_type=\\"2*String\\"\n ni_dimen=\\"3\\" >\n\\"17\\" \\"Left-Hippocampus\\"\n\\"53\\" \\"Right-Hippocampus\\"\n'
       '\\"1001\\" \\"ctx-lh-bankssts\\"\n</VALUE_LABEL_DTABLE>"\n</AFNI_atr>\n</AFNI_attributes>\n')
image.header.extensions.append(nib.nifti1.Nifti1Extension(4, xml.encode()))
nib.save(image, "volume_named.nii.gz")
