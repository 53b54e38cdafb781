"""Pictures, sounds and texts through the frozen networks; what took long is kept in the working folder."""

from pathlib import Path

import librosa
import numpy as np
import onnxruntime
from PIL import Image

import sound
import vision


def kept(path, make):
    """The arrays in an .npz file, made and written if it is not there."""
    path = Path(path)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        arrays = make()
        part = path.with_suffix(".part.npz")
        np.savez(part, **arrays)
        part.rename(path)
    return dict(np.load(path, allow_pickle=False))


def session(model, threads=1):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


def picture(path):
    """[3, 224, 224] as module.yaml says: the shorter side to 256 (bicubic), the centre, (x - 127) / 128."""
    image = Image.open(path).convert("RGB")
    w, h = image.size
    w, h = (256, 256 * h // w) if w < h else (256 * w // h, 256)
    image = image.resize((w, h), Image.BICUBIC)
    left, top = (w - vision.SIDE) // 2, (h - vision.SIDE) // 2
    image = image.crop((left, top, left + vision.SIDE, top + vision.SIDE))
    return ((np.asarray(image, np.float32) - 127) / 128).transpose(2, 0, 1)


def pictures(model, paths):
    """Features and logits of picture files."""
    run, out = session(model), []
    for path in paths:
        out.append(run.run(["features", "logits"], {"picture": picture(path)[None]}))
    return {"features": np.concatenate([o[0] for o in out]), "logits": np.concatenate([o[1] for o in out])}


def drawings(model, pictures, rows):
    """Features and logits of square pictures [n, 224, 224, 4], transparent before white."""
    run, out = session(model), []
    for k in range(0, len(rows), 16):
        x = np.asarray(pictures[rows[k : k + 16]]).astype(np.float32)
        x = x[..., :3] * x[..., 3:] / 255 + (255 - x[..., 3:])
        out.append(run.run(["features", "logits"], {"picture": ((x - 127) / 128).transpose(0, 3, 1, 2)}))
    return {"features": np.concatenate([o[0] for o in out]), "logits": np.concatenate([o[1] for o in out])}


def logmel(samples):
    """Log-mel frames [frames, bands] of samples at 44.1 kHz, as the authors' librosa variant makes them."""
    peak = np.abs(samples).max() or 1
    mel = librosa.feature.melspectrogram(y=samples / peak, sr=sound.RATE, n_fft=sound.WINDOW, hop_length=sound.HOP, win_length=sound.WINDOW,
                                         n_mels=sound.BANDS, fmin=0, fmax=sound.RATE / 2, htk=True, norm=1.0, power=2.0,
                                         center=True, pad_mode="constant")
    return (np.log10(mel * 10000 + 1) / sound.TOP).T.astype(np.float32)


def blocks(mel):
    """Blocks [blocks, 100, bands], half a block apart; what fills none is left out; of more than 32, 32 spread evenly."""
    if len(mel) < sound.BLOCK:
        mel = np.concatenate([mel, np.zeros((sound.BLOCK - len(mel), mel.shape[1]), np.float32)])
    n = 1 + (len(mel) - sound.BLOCK) // sound.BLOCK_HOP
    keep = min(n, sound.MAX_BLOCKS)
    first = [(2 * i + 1) * n // (2 * keep) if keep < n else i for i in range(keep)]
    return np.stack([mel[k * sound.BLOCK_HOP :][: sound.BLOCK] for k in first])


def sounds(model, paths):
    """Features of sound files."""
    run, out = session(model), []
    for path in paths:
        samples, _ = librosa.load(path, sr=sound.RATE, mono=True)
        out.append(run.run(["features"], {"logmel": blocks(logmel(samples))[None]})[0])
    return {"features": np.concatenate(out)}


def exported_sounds(model, folder, rows, rate=16000):
    """Features of sounds that `wire data export` wrote, which are at 16 kHz."""
    run, samples, out = session(model), np.load(Path(folder) / "sounds.npy", mmap_mode="r"), []
    for row in rows:
        clip = np.array(samples[row["offset"] : row["offset"] + row["samples"]])
        clip = librosa.resample(clip, orig_sr=rate, target_sr=sound.RATE)
        out.append(run.run(["features"], {"logmel": blocks(logmel(clip))[None]})[0])
    return {"features": np.concatenate(out)}
