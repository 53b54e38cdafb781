"""The same ticks in PyTorch, in several forms; called by the program beside it.

Arguments: a folder with the plan's numbers (plan.json and .npy files), the batch
and whether to compile as well. For each line on standard input, "FORM TICKS", it
computes so many ticks from silence and answers with a line of JSON:
milliseconds a tick in processor time, and the last states.

Forms: "padded" does all regions at once, padded to the largest, and "columns" the
same with the batch as the last dimension; "looped" does one
region after another without padding; "sparse" all regions as two sparse matrices;
the first two also frozen by TorchScript ("-script") and, when told, compiled
("-compiled"; the loop takes seven minutes to compile, and is slower).
"""

import json
import warnings
import sys
import time

import numpy as np
import torch

warnings.filterwarnings("ignore")  # of forms that are going out of use

torch.set_num_threads(1)
torch.set_grad_enabled(False)
folder, batch, compiled = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "true"
plan = json.load(open(folder + "/plan.json"))
R, d, r, T = plan["regions"], plan["width"], plan["rank"], plan["tracts"]


def load(name, *shape):
    return torch.from_numpy(np.load(f"{folder}/{name}.npy").reshape(shape).copy())


frm, to, delay = (load(n, T).long() for n in ("from", "to", "delay"))
scale, beta, a = load("scale", T), load("gate_bias", T), load("gate_signal", T, r)
V, U, c = load("axon", T, r, d), load("synapse", T, d, r), load("gate_state", T, d)
bias, lam, drive = load("bias", R, d), load("leak", R, 1, 1), load("drive", R, batch, d)
D = int(delay.max()) + 1

incoming = [torch.nonzero(to == j).flatten() for j in range(R)]  # tracts are sorted by target
outgoing = [torch.nonzero(frm == j).flatten() for j in range(R)]
most_in, most_out = max(map(len, incoming)), max(map(len, outgoing))
slot = torch.zeros(T, dtype=torch.long)
for out in outgoing:
    slot[out] = torch.arange(len(out))


def norm(h):
    return h * torch.rsqrt(h.square().mean(-1, keepdim=True) + 1e-2)


class Padded(torch.nn.Module):
    """Axons of [R, d] by [R, d, out·r], synapses of [R, in·r] by [R, in·r, d]; a ring of messages [D, R·out, B, r]."""

    def __init__(self):
        super().__init__()
        self.V, self.U, self.c = torch.zeros(R, d, most_out * r), torch.zeros(R, most_in * r, d), torch.zeros(R, d, most_in)
        self.a, self.beta, self.s = torch.zeros(R * most_in, 1, r), torch.zeros(R * most_in, 1), torch.zeros(R * most_in, 1)
        self.source, self.delay = torch.zeros(R * most_in, dtype=torch.long), torch.ones(R * most_in, dtype=torch.long)
        for j in range(R):
            for i, k in enumerate(incoming[j]):
                at = j * most_in + i
                self.U[j, i * r : (i + 1) * r], self.c[j, :, i] = U[k].T, c[k]
                self.a[at, 0], self.beta[at], self.s[at] = a[k], beta[k], scale[k]
                self.source[at], self.delay[at] = frm[k] * most_out + slot[k], delay[k]
            for i, k in enumerate(outgoing[j]):
                self.V[j, :, i * r : (i + 1) * r] = V[k].T
        # index of each tract's message, for each place in the ring
        self.index = torch.stack([(t - self.delay) % D * (R * most_out) + self.source for t in range(D)])
        self.keep, self.lam, self.bias, self.drive = 1 - lam, lam, bias[:, None] + drive, drive

    def forward(self, h, n, ring, index, place):
        z = ring.view(D * R * most_out, batch, r).index_select(0, index)
        g = torch.sigmoid((z * self.a).sum(-1) + torch.bmm(n, self.c).transpose(1, 2).reshape(R * most_in, batch) + self.beta) * self.s
        m = (z * g[..., None]).view(R, most_in, batch, r).transpose(1, 2).reshape(R, batch, most_in * r)
        h = self.keep * h + self.lam * torch.tanh(torch.baddbmm(self.bias, m, self.U))
        n = norm(h)
        ring[place] = torch.bmm(n, self.V).view(R, batch, most_out, r).transpose(1, 2).reshape(R * most_out, batch, r)
        return h, n

    def start(self):
        return torch.zeros(R, batch, d), torch.zeros(R, batch, d), torch.zeros(D, R * most_out, batch, r)


class Columns(torch.nn.Module):
    """As padded, with the batch last: [R, out·r, d] by [R, d, B], so that nothing is transposed."""

    def __init__(self, padded):
        super().__init__()
        self.V, self.U, self.c = (x.transpose(1, 2).contiguous() for x in (padded.V, padded.U, padded.c))
        self.a, self.beta, self.s = padded.a.view(R * most_in, r, 1), padded.beta, padded.s
        self.index, self.keep, self.lam = padded.index, padded.keep, padded.lam
        self.bias = padded.bias.transpose(1, 2).expand(R, d, batch).contiguous()

    def forward(self, h, n, ring, index, place):
        z = ring.view(D * R * most_out, r, batch).index_select(0, index)
        g = torch.sigmoid((z * self.a).sum(1) + torch.bmm(self.c, n).view(R * most_in, batch) + self.beta) * self.s
        m = (z * g[:, None]).view(R, most_in * r, batch)
        h = self.keep * h + self.lam * torch.tanh(torch.baddbmm(self.bias, self.U, m))
        n = h * torch.rsqrt(h.square().mean(1, keepdim=True) + 1e-2)
        ring[place] = torch.bmm(self.V, n).view(R * most_out, r, batch)
        return h, n

    def start(self):
        return torch.zeros(R, d, batch), torch.zeros(R, d, batch), torch.zeros(D, R * most_out, r, batch)


class Looped(torch.nn.Module):
    """Each region by itself: no padding, more calls; a ring of messages [D, T, B, r]."""

    def __init__(self):
        super().__init__()
        order = torch.cat(outgoing)
        self.place = torch.empty(T, dtype=torch.long)
        self.place[order] = torch.arange(T)
        self.sizes = [len(o) * r for o in outgoing]
        self.ranges, at = [], 0
        for o in outgoing:
            self.ranges.append((at, at + len(o)))
            at += len(o)
        self.V = [V[o].reshape(-1, d).T.contiguous() for o in outgoing]
        self.U = [U[i].transpose(1, 2).reshape(-1, d).contiguous() for i in incoming]
        self.c = [c[i].T.contiguous() for i in incoming]
        self.a, self.beta, self.s = [a[i][:, None] for i in incoming], [beta[i][:, None] for i in incoming], [scale[i][:, None] for i in incoming]
        self.bias = [bias[j] + drive[j] for j in range(R)]
        self.lam = [float(lam[j]) for j in range(R)]
        self.index = torch.stack([(t - delay) % D * T + self.place for t in range(D)])
        self.lo = [int(i[0]) for i in incoming]
        self.n_in = [len(i) for i in incoming]

    def forward(self, h, n, ring, index, place):
        z_all = ring.view(D * T, batch, r).index_select(0, index)
        states, norms = [], []
        for j in range(R):
            z = z_all[self.lo[j] : self.lo[j] + self.n_in[j]]
            g = torch.sigmoid((z * self.a[j]).sum(-1) + (n[j] @ self.c[j]).T + self.beta[j]) * self.s[j]
            m = (z * g[..., None]).transpose(0, 1).reshape(batch, -1)
            x = (1 - self.lam[j]) * h[j] + self.lam[j] * torch.tanh(torch.addmm(self.bias[j], m, self.U[j]))
            y = norm(x)
            lo, hi = self.ranges[j]
            ring[place, lo:hi] = (y @ self.V[j]).view(batch, hi - lo, r).transpose(0, 1)
            states.append(x)
            norms.append(y)
        return torch.stack(states), torch.stack(norms)

    def start(self):
        return torch.zeros(R, batch, d), torch.zeros(R, batch, d), torch.zeros(D, T, batch, r)


class Sparse(torch.nn.Module):
    """All axons and all synapses as two CSR matrices; states are [R·d, B]."""

    def __init__(self):
        super().__init__()
        rows = (torch.arange(T)[:, None, None] * r + torch.arange(r)[None, :, None]).expand(T, r, d)
        cols = (frm[:, None, None] * d + torch.arange(d)[None, None]).expand(T, r, d)
        self.V = torch.sparse_coo_tensor(torch.stack([rows.flatten(), cols.flatten()]), V.flatten(), (T * r, R * d)).to_sparse_csr()
        rows = (to[:, None, None] * d + torch.arange(d)[None, :, None]).expand(T, d, r)
        cols = (torch.arange(T)[:, None, None] * r + torch.arange(r)[None, None]).expand(T, d, r)
        self.U = torch.sparse_coo_tensor(torch.stack([rows.flatten(), cols.flatten()]), U.flatten(), (R * d, T * r)).to_sparse_csr()
        rows = torch.arange(T)[:, None].expand(T, d)
        cols = to[:, None] * d + torch.arange(d)[None]
        self.c = torch.sparse_coo_tensor(torch.stack([rows.flatten(), cols.flatten()]), c.flatten(), (T, R * d)).to_sparse_csr()
        self.index = torch.stack([(t - delay) % D * T + torch.arange(T) for t in range(D)])
        self.bias = (bias[:, None] + drive).transpose(1, 2).reshape(R * d, batch)
        self.lam = lam.view(R, 1).expand(R, d).reshape(R * d, 1)
        self.a, self.beta, self.s = a[..., None], beta[:, None], scale[:, None]

    def forward(self, h, n, ring, index, place):
        z = ring.view(D * T, r, batch).index_select(0, index)
        g = torch.sigmoid((z * self.a).sum(1) + self.c @ n + self.beta) * self.s
        h = (1 - self.lam) * h + self.lam * torch.tanh(self.bias + self.U @ (z * g[:, None]).view(T * r, batch))
        x = h.view(R, d, batch)
        n = (x * torch.rsqrt(x.square().mean(1, keepdim=True) + 1e-2)).view(R * d, batch)
        ring[place] = (self.V @ n).view(T, r, batch)
        return h, n

    def start(self):
        return torch.zeros(R * d, batch), torch.zeros(R * d, batch), torch.zeros(D, T, r, batch)


def states(form, h):
    return h.view(R, d, batch).transpose(1, 2) if isinstance(form, (Sparse, Columns)) else h


def scripted(form):
    h, n, ring = form.start()
    place = torch.zeros(1, dtype=torch.long)

    class Placed(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.form = form

        def forward(self, h, n, ring, index, place):
            return self.form(h, n, ring, index, place)

    return torch.jit.trace(Placed().eval(), (h, n, ring, form.index[0], place), check_trace=False)


padded = Padded()
bases = {"padded": padded, "columns": Columns(padded), "looped": Looped(), "sparse": Sparse()}
forms = {}
for name, base in bases.items():
    forms[name] = (base, base, False)
    if name in ("padded", "columns"):
        forms[name + "-script"] = (base, scripted(base), True)
    if compiled and name in ("padded", "columns"):
        forms[name + "-compiled"] = (base, torch.compile(base, dynamic=False), True)

for line in sys.stdin:
    name, ticks = line.split()
    if name == "forms":
        print(json.dumps({"forms": list(forms), "version": torch.__version__}), flush=True)
        continue
    base, call, tensor = forms[name]
    places = [torch.tensor([p]) for p in range(D)] if tensor else list(range(D))
    h, n, ring = base.start()
    began = time.process_time()
    for t in range(int(ticks)):
        h, n = call(h, n, ring, base.index[t % D], places[t % D])
    took = time.process_time() - began
    print(json.dumps({"ms": 1e3 * took / int(ticks), "last": states(base, h).flatten().tolist()}), flush=True)
