"""A large model with random weights: real architecture and tokenizer, answers without meaning.

usage: make-model.py TOKENIZER.gguf OUT.gguf [--shape NAME] [--format FORMAT] [--layers N]
       make-model.py TOKENIZER.gguf OUT.gguf --tokenizer

TOKENIZER is a GGUF file whose tokenizer and chat template are taken; more tokens are made up until
there are as many as the shape's vocabulary has. Weights are random integers in the format's own
blocks, the mixes those of llama.cpp's quantize, so speed, memory and power are those of a real model
of this size; its text is noise. The seed is fixed: the same arguments give the same file everywhere.
No answer ends by itself: the scores of control tokens are 0, below the best of the others.

--tokenizer writes the tokenizer alone, a file without tensors. --sparse leaves the data out, for
programs that only read headers.
"""

import argparse, array, os, random, struct, time
from concurrent.futures import ThreadPoolExecutor

SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
U32, F32, STRING, ARRAY = 4, 6, 8, 9

# Number in the file, values in a block, bytes of a block, and its fixed fields (offset, bytes): the
# scales, such that a weight's standard deviation is about 0.0115 and its mean 0. The rest is noise.
half = lambda x: struct.pack("<e", x)
KINDS = {
    "F32": (0, 1, 4, []),
    "Q4_0": (2, 32, 18, [(0, half(0.0025))]),
    "Q8_0": (8, 32, 34, [(0, half(0.02 / 128))]),
    "Q4_K": (12, 256, 144, [(0, half(4.5e-5)), (2, half(7.5 * 4.5e-5))]),
    "Q5_K": (13, 256, 176, [(0, half(2.2e-5)), (2, half(15.5 * 2.2e-5))]),
    "Q6_K": (14, 256, 210, [(208, half(8.4e-6))]),
    "MXFP4": (39, 32, 17, [(0, bytes([127 - 9]))]),
}
FILE_TYPES = {"Q4_0": 2, "Q8_0": 7, "Q4_K_M": 15, "MXFP4": 38}

# Each as its maker published it.
SHAPES = {
    "llama-3.2-1b": dict(arch="llama", hidden=2048, layers=16, ffn=8192, heads=32, kv_heads=8, head=64,
                         vocabulary=128256, tied=True, rope=500000.0),
    "llama-3.1-8b": dict(arch="llama", hidden=4096, layers=32, ffn=14336, heads=32, kv_heads=8, head=128,
                         vocabulary=128256, rope=500000.0),
    "llama-3.3-70b": dict(arch="llama", hidden=8192, layers=80, ffn=28672, heads=64, kv_heads=8, head=128,
                          vocabulary=128256, rope=500000.0),
    "qwen3-32b": dict(arch="qwen3", hidden=5120, layers=64, ffn=25600, heads=64, kv_heads=8, head=128,
                      vocabulary=151936, rope=1000000.0),
    "qwen3-30b-a3b": dict(arch="qwen3moe", hidden=2048, layers=48, ffn=6144, heads=32, kv_heads=4, head=128,
                          vocabulary=151936, experts=128, used=8, expert_ffn=768, rope=1000000.0),
    "gpt-oss-20b": dict(arch="gpt-oss", hidden=2880, layers=24, ffn=2880, heads=64, kv_heads=8, head=64,
                        vocabulary=201088, experts=32, used=4, expert_ffn=2880, window=128, rope=150000.0),
    "tiny": dict(arch="llama", hidden=256, layers=4, ffn=512, heads=4, kv_heads=2, head=64, vocabulary=49664,
                 rope=10000.0),
}


def skip_value(data, at, kind):
    if kind == STRING:
        return at + 8 + struct.unpack_from("<Q", data, at)[0]
    if kind == ARRAY:
        inner, count = struct.unpack_from("<IQ", data, at)
        at += 12
        if inner != STRING:
            return at + SIZES[inner] * count
        for _ in range(count):
            at = skip_value(data, at, STRING)
        return at
    return at + SIZES[kind]


def metadata(path):
    """Key -> its bytes in the file, key included."""
    with open(path, "rb") as file:
        data = file.read(64 << 20)
    magic, version, _, count = struct.unpack_from("<4sIQQ", data)
    if magic != b"GGUF" or version != 3:
        raise SystemExit(f"{path} is not a GGUF file of version 3")
    at, found = 24, {}
    for _ in range(count):
        start = at
        length = struct.unpack_from("<Q", data, at)[0]
        key = data[at + 8 : at + 8 + length].decode()
        kind = struct.unpack_from("<I", data, at + 8 + length)[0]
        at = skip_value(data, at + 12 + length, kind)
        found[key] = data[start:at]
    return found


def text(value):
    value = value.encode()
    return struct.pack("<Q", len(value)) + value


def pair(key, kind, value):
    body = text(value) if kind == STRING else struct.pack("<I" if kind == U32 else "<f", value)
    return text(key) + struct.pack("<I", kind) + body


def array_of(found, key):
    """Where a list's items begin in its pair, how many there are, and of what kind."""
    at = 8 + len(key) + 4
    inner, count = struct.unpack_from("<IQ", found[key], at)
    return at + 12, count, inner


def enlarge(kept, vocabulary):
    """Made-up tokens up to the vocabulary; the ids of control tokens."""
    tokens, types = "tokenizer.ggml.tokens", "tokenizer.ggml.token_type"
    at, count, _ = array_of(kept, tokens)
    at_types, _, kind = array_of(kept, types)
    numbers = struct.unpack_from(f"<{count}i", kept[types], at_types)
    extra = range(count, vocabulary)
    if vocabulary < count:
        raise SystemExit(f"the tokenizer has {count} tokens and the shape {vocabulary}")
    # A space in front, as byte-level tokenizers write it, so that every one shows in an answer.
    more = b"".join(text(f"\u0120q{n}") for n in extra)
    list_of = lambda key, inner, body: text(key) + struct.pack("<IIQ", ARRAY, inner, vocabulary) + body
    kept[tokens] = list_of(tokens, STRING, kept[tokens][at:] + more)
    kept[types] = list_of(types, kind, kept[types][at_types:] + struct.pack("<i", 1) * len(extra))
    return [n for n, kind in enumerate(numbers) if kind == 3]


def more_bits(layer, layers):
    """llama.cpp's rule for which layers of a *_M mix get the larger type."""
    return layer < layers // 8 or layer >= 7 * layers // 8 or (layer - layers // 8) % 3 == 2


def tensors_of(shape, form):
    """(name, dimensions, kind) in the order of the file."""
    s = shape
    layers, hidden = s["layers"], s["hidden"]
    queries, kv = s["heads"] * s["head"], s["kv_heads"] * s["head"]
    gpt = s["arch"] == "gpt-oss"
    plain = {"Q4_K_M": "Q4_K", "MXFP4": "Q8_0"}.get(form, form)
    large = {"Q4_K_M": "Q6_K"}.get(form, plain)
    experts = "MXFP4" if form == "MXFP4" else plain
    yield "token_embd.weight", (hidden, s["vocabulary"]), large if s.get("tied") else plain
    yield "output_norm.weight", (hidden,), "F32"
    if not s.get("tied"):
        yield "output.weight", (hidden, s["vocabulary"]), large
    for n in range(layers):
        more = large if more_bits(n, layers) else plain
        values = more
        if form == "Q4_K_M" and s["arch"] == "llama" and layers == 80:
            values = "Q6_K" if more == "Q6_K" else "Q5_K"
        rows = [("attn_norm.weight", (hidden,), "F32"), ("attn_q.weight", (hidden, queries), plain),
                ("attn_k.weight", (hidden, kv), plain), ("attn_v.weight", (hidden, kv), values),
                ("attn_output.weight", (queries, hidden), plain)]
        if gpt:
            rows += [("attn_q.bias", (queries,), "F32"), ("attn_k.bias", (kv,), "F32"), ("attn_v.bias", (kv,), "F32"),
                     ("attn_output.bias", (hidden,), "F32"), ("attn_sinks.weight", (s["heads"],), "F32"),
                     ("post_attention_norm.weight", (hidden,), "F32")]
        else:
            rows.append(("ffn_norm.weight", (hidden,), "F32"))
        if s["arch"].startswith("qwen3"):
            rows += [("attn_q_norm.weight", (s["head"],), "F32"), ("attn_k_norm.weight", (s["head"],), "F32")]
        if s.get("experts"):
            count, ffn = s["experts"], s["expert_ffn"]
            down = more if form == "Q4_K_M" else experts
            rows += [("ffn_gate_inp.weight", (hidden, count), "F32"), ("ffn_gate_exps.weight", (hidden, ffn, count), experts),
                     ("ffn_up_exps.weight", (hidden, ffn, count), experts), ("ffn_down_exps.weight", (ffn, hidden, count), down)]
            if gpt:
                rows += [("ffn_gate_inp.bias", (count,), "F32"), ("ffn_gate_exps.bias", (ffn, count), "F32"),
                         ("ffn_up_exps.bias", (ffn, count), "F32"), ("ffn_down_exps.bias", (hidden, count), "F32")]
        else:
            rows += [("ffn_gate.weight", (hidden, s["ffn"]), plain), ("ffn_up.weight", (hidden, s["ffn"]), plain),
                     ("ffn_down.weight", (s["ffn"], hidden), more)]
        for name, dimensions, kind in rows:
            yield f"blk.{n}.{name}", dimensions, kind


def pairs_of(shape, name, form):
    s, a = shape, shape["arch"]
    pairs = [
        pair("general.architecture", STRING, a),
        pair("general.name", STRING, f"{name}, random weights"),
        pair("general.file_type", U32, FILE_TYPES[form]),
        pair("general.quantization_version", U32, 2),
        pair(f"{a}.block_count", U32, s["layers"]),
        pair(f"{a}.context_length", U32, 131072),
        pair(f"{a}.embedding_length", U32, s["hidden"]),
        pair(f"{a}.feed_forward_length", U32, s["ffn"]),
        pair(f"{a}.attention.head_count", U32, s["heads"]),
        pair(f"{a}.attention.head_count_kv", U32, s["kv_heads"]),
        pair(f"{a}.attention.key_length", U32, s["head"]),
        pair(f"{a}.attention.value_length", U32, s["head"]),
        pair(f"{a}.attention.layer_norm_rms_epsilon", F32, 1e-5),
        pair(f"{a}.rope.dimension_count", U32, s["head"]),
        pair(f"{a}.rope.freq_base", F32, s["rope"]),
        pair(f"{a}.vocab_size", U32, s["vocabulary"]),
    ]
    if s.get("experts"):
        pairs += [pair(f"{a}.expert_count", U32, s["experts"]), pair(f"{a}.expert_used_count", U32, s["used"]),
                  pair(f"{a}.expert_feed_forward_length", U32, s["expert_ffn"])]
    if s.get("window"):
        pairs.append(pair(f"{a}.attention.sliding_window", U32, s["window"]))
    return pairs


def size(dimensions, kind):
    _, block, length, _ = KINDS[kind]
    values = 1
    for n in dimensions:
        values *= n
    if dimensions[0] % block:
        raise SystemExit(f"a row of {dimensions[0]} values is not made of blocks of {block}")
    return values // block * length


def noise_of(kind, draw):
    """A prime number of blocks, so that the rows of a matrix do not repeat soon."""
    _, _, length, fields = KINDS[kind]
    blocks = max(n for n in (199999, 99991, 49999) if n * length <= 20 << 20 or n == 49999)
    noise = bytearray(draw.randbytes(blocks * length))
    for offset, value in fields:
        for n, byte in enumerate(value):
            noise[offset + n :: length] = bytes([byte]) * blocks
    return bytes(noise)


class Data:
    """What is in each tensor, as pieces to write."""

    def __init__(self):
        self.draw = random.Random(8)
        self.noise = {}
        self.routers = array.array("f", (self.draw.gauss(0, 0.05) for _ in range(1 << 18))).tobytes()

    def pieces(self, index, name, dimensions, kind):
        total = size(dimensions, kind)
        if kind == "F32":
            if name.endswith("ffn_gate_inp.weight"):
                noise, start = self.routers, index * 4 * 977 % len(self.routers)
            elif name.endswith("norm.weight"):
                noise, start = struct.pack("<f", 1.0) * (total // 4), 0
            else:
                noise, start = bytes(total), 0
        else:
            if kind not in self.noise:
                self.noise[kind] = noise_of(kind, self.draw)
            noise, length = self.noise[kind], KINDS[kind][2]
            start = index * 7919 * length % len(noise)
        view, done = memoryview(noise), 0
        while done < total:
            take = min(total - done, len(noise) - start)
            yield done, view[start : start + take]
            done, start = done + take, 0


def write(path, header, tensors, offsets, silent, threads):
    data, jobs = Data(), []
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o644)

    def put(piece, at):
        while piece:
            done = os.pwrite(file, piece, at)
            piece, at = piece[done:], at + done

    put(memoryview(header), 0)
    with ThreadPoolExecutor(threads) as pool:
        for index, (name, dimensions, kind) in enumerate(tensors):
            for at, piece in data.pieces(index, name, dimensions, kind):
                jobs.append(pool.submit(put, piece, len(header) + offsets[index] + at))
        for job in jobs:
            job.result()
    # The tensor that scores tokens: the rows of control tokens are 0.
    names = [name for name, _, _ in tensors]
    scores = names.index("output.weight" if "output.weight" in names else "token_embd.weight")
    row = size(tensors[scores][1][:1], tensors[scores][2])
    for token in silent:
        put(memoryview(bytes(row)), len(header) + offsets[scores] + token * row)
    os.close(file)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tokenizer_file", metavar="TOKENIZER.gguf")
    parser.add_argument("out", metavar="OUT.gguf")
    parser.add_argument("--shape", choices=SHAPES, default="llama-3.1-8b")
    parser.add_argument("--format", choices=FILE_TYPES, default="Q8_0")
    parser.add_argument("--layers", type=int, help="fewer than the shape has, to try it")
    parser.add_argument("--tokenizer", action="store_true")
    parser.add_argument("--sparse", action="store_true")
    parser.add_argument("--threads", type=int, default=min(12, os.cpu_count() or 1))
    args = parser.parse_args()
    begun = time.monotonic()
    kept = {k: v for k, v in metadata(args.tokenizer_file).items() if k.startswith("tokenizer.")}
    if args.tokenizer:
        pairs = [pair("general.architecture", STRING, "llama")] + list(kept.values())
        with open(args.out, "wb") as file:
            file.write(struct.pack("<4sIQQ", b"GGUF", 3, 0, len(pairs)) + b"".join(pairs))
        return
    shape = dict(SHAPES[args.shape])
    shape["layers"] = args.layers or shape["layers"]
    silent = enlarge(kept, shape["vocabulary"])
    tensors = list(tensors_of(shape, args.format))
    infos, offsets, offset = [], [], 0
    for name, dimensions, kind in tensors:
        count = len(dimensions)
        infos.append(text(name) + struct.pack(f"<I{count}QIQ", count, *dimensions, KINDS[kind][0], offset))
        offsets.append(offset)
        offset += (size(dimensions, kind) + 31) // 32 * 32
    pairs = pairs_of(shape, args.shape, args.format) + list(kept.values())
    header = struct.pack("<4sIQQ", b"GGUF", 3, len(tensors), len(pairs)) + b"".join(pairs) + b"".join(infos)
    header += b"\0" * (-len(header) % 32)
    if args.sparse:
        with open(args.out, "wb") as file:
            file.write(header)
    else:
        write(args.out, header, tensors, offsets, silent, args.threads)
    os.truncate(args.out, len(header) + offset)
    took = time.monotonic() - begun
    print(f"{args.out}: {args.shape} {args.format}, {shape['layers']} layers, {offset / 1e9:.2f} GB, random weights, "
          f"made in {took:.1f} s ({offset / 1e9 / max(took, 0.001):.1f} GB/s)")


main()
