#!/usr/bin/env python3
"""Makes the embedded modules: make.py STEP --work DIR [--captions FILE --photographs DIR --esc10 DIR --export DIR --zoo DIR].

STEP is teacher, vision, sound, text, language, meet, folds, vectors or all; each needs what the ones before it left in the working folder.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file

import corpora
import encode
import evaluate
import language
import module
import sound
import testvectors
import text
import vision
from bridge import VisionBridge
from minilm import Teacher

HERE = Path(__file__).resolve().parent
APACHE = HERE.parents[2] / "LICENSE"


def teacher(a):
    """Teacher vectors of all texts that the other steps need."""
    work, model = Path(a.work), None

    def vectors(texts):
        nonlocal model
        model = model or Teacher()
        return model.vectors(texts)

    learned, held = corpora.captions(a.captions)
    encode.kept(work / "captions.npz", lambda: {"v": vectors(learned + held)})
    photographs = corpora.photographs(a.photographs)
    encode.kept(work / "photocaps.npz", lambda: {"v": vectors([c for _, cs in photographs for c in cs]),
                                                 "n": np.array([len(cs) for _, cs in photographs])})
    encode.kept(work / "classes.npz", lambda: {"v": vectors(["a photo of a " + c for c in vision.labels()])})


def mean_caption(a):
    """The mean teacher vector of the captions that are learned from: the centre of the text space."""
    return encode.kept(Path(a.work) / "captions.npz", None)["v"][: -corpora.HELD].mean(0)


def photo_targets(a):
    caps = encode.kept(Path(a.work) / "photocaps.npz", None)
    return evaluate.pool(caps["v"], caps["n"])


def net(a, name, make):
    """A network's file in the working folder."""
    path = Path(a.work) / name
    if not path.exists():
        make().save(path)
    return path


def vision_parts(a):
    """(network file, features and logits of the photographs, classifier rows, class vectors)."""
    w = vision.weights()
    model = net(a, "vision-net.onnx", lambda: vision.network(w))
    files = [str(Path(a.photographs) / name) for name, _ in corpora.photographs(a.photographs)]
    photos = encode.kept(Path(a.work) / "photos.npz", lambda: encode.pictures(model, files))
    return model, photos, w["_fc.weight"], encode.kept(Path(a.work) / "classes.npz", None)["v"]


def drawings(a, model):
    """(training, validation) of exported drawings: (features, logits, centred text vectors, names)."""
    rows = corpora.drawings(a.export)

    def made():
        pictures = np.load(Path(a.export) / "pictures.npy", mmap_mode="r")
        if pictures.shape[1] != vision.SIDE:
            raise SystemExit(f"{a.export} has pictures of {pictures.shape[1]} pixels: wire data export --size {vision.SIDE}")
        out = encode.drawings(model, pictures, [r["row"] for r in rows])
        names = sorted({r["captions"][0] for r in rows})
        told = dict(zip(names, Teacher().vectors(names)))
        return {**out, "v": np.stack([told[r["captions"][0]] for r in rows])}

    kept, mean = encode.kept(Path(a.work) / "drawings.npz", made), mean_caption(a)
    names, split = np.array([r["captions"][0] for r in rows]), np.array([r["split"] for r in rows])
    return [(kept["features"][at], kept["logits"][at], kept["v"][at] - mean, names[at]) for at in (split == "train", split == "val")]


def write_vision(a, folder, model, bridge, name, photos, targets):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "net.onnx").write_bytes(model.read_bytes())
    save_file({"influence": np.ascontiguousarray(1000 * bridge.influence(photos["features"], photos["logits"]), np.float16),
               "targets": np.ascontiguousarray(targets, np.float16)}, str(folder / "photographs.safetensors"))
    module.write(folder, module.VISION.replace("@NAME@", name), {"bridge.onnx": bridge.network()},
                 {"labels.txt": "\n".join(vision.labels()) + "\n", "LICENSE": APACHE.read_text(),
                  "photographs.txt": "".join(n + "\n" for n, _ in corpora.photographs(a.photographs))})


def make_vision(a):
    """The vision module; its bridge is fitted on all photographs."""
    model, photos, rows, classes = vision_parts(a)
    mean, targets = mean_caption(a), photo_targets(a)
    drawn, held = drawings(a, model)
    evaluate.photographs(photos["features"], photos["logits"], targets, mean, classes, rows, drawn[:3])
    bridge = VisionBridge(classes, rows, photos["features"], drawn[:3]).fit(photos["features"], photos["logits"], targets - mean)
    evaluate.drawn(bridge, *held)
    write_vision(a, Path(a.zoo) / (a.prefix + "vision"), model, bridge, a.prefix + "vision", photos, targets - mean)


def folds(a):
    """Five sound modules below OUT/fold-1 … fold-5, each with a bridge that saw nothing of that fold of ESC-10."""
    out = Path(a.work) / "folds"
    model, rows = sound_parts(a)
    _, bridges = evaluate.recordings(rows)
    for k, bridge in enumerate(bridges):
        write_sound(a, out / f"fold-{k + 1}" / (a.prefix + "sound"), model, bridge, a.prefix + "sound")
    print(f"{out}: fold-1 to fold-5")


def sound_parts(a):
    """(network file, named sounds): ESC-10 by its folders' names, and the packaged sounds of the training split."""
    model, work = net(a, "sound-net.onnx", lambda: sound.network(sound.weights())), Path(a.work)
    files = sorted(Path(a.esc10).glob("*/*.ogg"))
    esc = encode.kept(work / "esc.npz", lambda: encode.sounds(model, files))["features"]
    rows = [{"source": "esc10", "file": f"{p.parent.name}/{p.name}", "name": sound.spoken(p.parent.name), "fold": int(p.name[0]), "features": x}
            for p, x in zip(files, esc)]
    if a.export:
        packaged = [r for r in corpora.sounds(a.export) if r["kind"] == "effect"]
        made = encode.kept(work / "packaged.npz", lambda: encode.exported_sounds(model, a.export, packaged))["features"]
        rows += [{"source": r["source"], "file": r["id"], "name": r["caption"], "fold": 0 if r["split"] == "train" else -1, "features": x}
                 for r, x in zip(packaged, made) if r["split"] != "test"]
    names = sorted({r["name"] for r in rows})
    told = encode.kept(work / f"names-{len(names)}.npz", lambda: {"v": Teacher().vectors([sound.SENTENCE.format(n) for n in names])})["v"]
    place = dict(zip(names, told))
    for r in rows:
        r["target"] = place[r["name"]]
    return model, rows


def write_sound(a, folder, model, bridge, name):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "net.onnx").write_bytes(model.read_bytes())
    module.write(folder, module.SOUND.replace("@NAME@", name), {"bridge.onnx": bridge.network()}, {"LICENSE": sound.licence()})


def make_sound(a):
    """The sound module; its bridge is fitted on all named sounds but the packaged ones of the validation and the test split."""
    model, rows = sound_parts(a)
    evaluate.recordings(rows)
    write_sound(a, Path(a.zoo) / (a.prefix + "sound"), model, evaluate.fit_sounds(rows), a.prefix + "sound")


def make_text(a):
    """The text module: distilled from the teacher on captions, names and single words."""
    work = Path(a.work)
    learned, held = corpora.captions(a.captions)
    told = encode.kept(work / "captions.npz", None)["v"]
    mean = mean_caption(a)
    others = ["a photo of a " + c for c in vision.labels()] + list(vision.labels())
    drawn = corpora.exported(a.export, "caption", "template") if a.export else []
    others += [t for t, split in drawn if split == "train"]
    words = language.vocabulary(learned, others)[len(language.MARKS):]
    spans = list(text.spans(learned, a.spans))
    others = sorted(set(others + words + spans + sound.SENTENCES))
    tokenizer, entries = text.vocabulary(learned + others, a.tokens)
    clean = [e.removeprefix("##") for e in entries]

    def more():
        t = Teacher()
        return {"others": t.vectors(others), "entries": t.vectors(clean)}

    taught = encode.kept(work / "distilled.npz", more)
    encoder = text.encoder(tokenizer)
    texts = learned + others
    ids = encoder(texts)
    targets = np.concatenate([told[: len(learned)], taught["others"]]) - mean
    weights = np.concatenate([np.full(len(learned), 1.0), np.full(len(others), 0.4)])
    held_ids, held_told = encoder(held), told[-corpora.HELD :]

    def check(student):
        return ", " + evaluate.agreement(text.vectors(student, held_ids), held_told, mean)

    torch.manual_seed(1)
    path = work / "text.pt"
    student = text.Student(len(entries))
    if path.exists():
        student.load_state_dict(torch.load(path))
    else:
        student.begin(taught["entries"])
        text.train(student, ids, targets.astype(np.float32), weights, a.steps, check=check)
        torch.save(student.state_dict(), path)
    student = text.rounded(student)
    print("held captions:", evaluate.agreement(text.vectors(student, held_ids), held_told, mean))
    module.write(Path(a.zoo) / (a.prefix + "text"), module.TEXT.replace("@NAME@", a.prefix + "text"), {"model.onnx": text.network(student, mean)},
                 {"tokenizer.json": json.dumps(tokenizer, ensure_ascii=False, separators=(",", ":")) + "\n", "LICENSE": APACHE.read_text()})


def make_language(a):
    """The language module, beside trigrams of the same texts."""
    learned, held = corpora.captions(a.captions)
    drawn = corpora.exported(a.export, "caption", "template") if a.export else []
    own, validation = ([t for t, split in drawn if split == s] for s in ("train", "val"))
    names = sound.NAMES
    words = language.vocabulary(learned, own + names)
    index = {w: i for i, w in enumerate(words)}
    rows, held_rows = language.numbers(learned + own, index), language.numbers(held, index)
    sets = {"captions of photographs": held_rows}
    if validation:
        sets["captions of drawings"] = language.numbers(validation, index)

    def check(model):
        return "".join(f", {what} {language.perplexity(model, r):.1f}" for what, r in sets.items())

    torch.manual_seed(1)
    model, path = language.Model(len(words)), Path(a.work) / "language.pt"
    if path.exists():
        model.load_state_dict(torch.load(path))
    else:
        print(f"language: {len(rows)} texts, {len(words)} words, {sum(p.numel() for p in model.parameters()) / 1e6:.2f} M parameters")
        language.train(model, rows, a.epochs, check=check)
        torch.save(model.state_dict(), path)
    language.rounded(model)
    counted = language.Trigrams(rows, len(words))
    for what, r in sets.items():
        print(f"perplexity, {what}: {len(r)} texts, {language.perplexity(model, r):.1f}, trigrams {counted.perplexity(r):.1f}")
    body, head = language.networks(model)
    manifest = module.LANGUAGE.replace("@NAME@", a.prefix + "language").replace("@HIDDEN@", str(language.HIDDEN)).replace("@WORDS@", str(len(words)))
    module.write(Path(a.zoo) / (a.prefix + "language"), manifest, {"body.onnx": body, "head.onnx": head},
                 {"vocab.txt": "\n".join(words) + "\n", "LICENSE": APACHE.read_text()})


def meet(a):
    """How pictures and sounds, placed by bridges that saw nothing of their fold, meet the text module's own vectors."""
    folder = Path(a.zoo) / (a.prefix + "text")
    encoder, run = text.encoder(json.loads((folder / "tokenizer.json").read_text())), encode.session(folder / "model.onnx")
    embed = lambda texts: np.concatenate([run.run(["embedding"], {"tokens": encoder([t])})[0] for t in texts])
    _, photos, rows, classes = vision_parts(a)
    points, _ = evaluate.photographs(photos["features"], photos["logits"], photo_targets(a), mean_caption(a), classes, rows,
                                     drawings(a, vision_parts(a)[0])[0][:3], log=lambda line: None)
    captions = [c for _, c in corpora.photographs(a.photographs)]
    told = evaluate.pool(embed([c for cs in captions for c in cs]), [len(cs) for cs in captions])
    print(evaluate.retrieval("photographs and the text module's captions", points, told))
    _, rows = sound_parts(a)
    points, _ = evaluate.recordings(rows, log=lambda line: None)
    own = [r["name"] for r in rows if r["source"] == "esc10"]
    names = sorted(set(own))
    for form in (sound.SENTENCE, "{}"):
        right = [names[i] for i in (points @ embed([form.format(n) for n in names]).T).argmax(1)]
        print(f"recordings and the text module's \"{form.format('NAME')}\": {np.mean(np.array(right) == np.array(own)):.4f}")


def vectors(a):
    """Test vectors of the four modules, computed by ONNX Runtime."""
    testvectors.write(Path(a.zoo), a.prefix)


STEPS = {"teacher": teacher, "vision": make_vision, "sound": make_sound, "text": make_text, "language": make_language, "meet": meet, "folds": folds, "vectors": vectors}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("step", choices=[*STEPS, "all"])
    p.add_argument("--captions", help="coco-captions.txt")
    p.add_argument("--photographs", help="folder of captioned photographs with captions.tsv")
    p.add_argument("--esc10", help="folder of ESC-10, CLASS/FOLD-*.ogg")
    p.add_argument("--export", help="folder that `wire data export` wrote")
    p.add_argument("--work", required=True, help="folder for what took long to compute")
    p.add_argument("--zoo", default=str(HERE.parent), help="folder of the modules")
    p.add_argument("--prefix", default="", help="put before the modules' names")
    p.add_argument("--tokens", type=int, default=10000)
    p.add_argument("--spans", type=int, default=12000)
    p.add_argument("--steps", type=int, default=1300)
    p.add_argument("--epochs", type=int, default=5)
    a = p.parse_args()
    for name in STEPS if a.step == "all" else [a.step]:
        start = time.time()
        STEPS[name](a)
        print(f"{name}: {(time.time() - start) / 60:.1f} min", flush=True)


if __name__ == "__main__":
    main()
