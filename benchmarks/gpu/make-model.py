"""A large model with random weights: real architecture and tokenizer, answers without meaning.

usage: make-model.py SMALL.gguf BIG.gguf [--hidden 4096] [--layers 32] [--ffn 14336] [--heads 32]
                                         [--kv-heads 8]

SMALL is a `llama` model whose tokenizer and chat template are taken. Weights are Q8_0 of random
integers, so speed, memory and power are those of a real model of this size; its text is noise. The
name says so. The defaults give 7.4 GB.
"""

import argparse, os, struct

SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
STRING, ARRAY, U32, F32 = 8, 9, 4, 6
Q8_0, TENSOR_F32 = 8, 0


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


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("small")
    parser.add_argument("big")
    for name, value in {"hidden": 4096, "layers": 32, "ffn": 14336, "heads": 32, "kv-heads": 8}.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    args = parser.parse_args()
    kept = {k: v for k, v in metadata(args.small).items() if k.startswith("tokenizer.")}
    tokens = kept["tokenizer.ggml.tokens"]
    at = 8 + len("tokenizer.ggml.tokens") + 4
    vocabulary = struct.unpack_from("<IQ", tokens, at)[1]
    head = args.hidden // args.heads
    own = [
        pair("general.architecture", STRING, "llama"),
        pair("general.name", STRING, "synthetic: random weights"),
        pair("general.file_type", U32, 7),
        pair("llama.block_count", U32, args.layers),
        pair("llama.context_length", U32, 32768),
        pair("llama.embedding_length", U32, args.hidden),
        pair("llama.feed_forward_length", U32, args.ffn),
        pair("llama.attention.head_count", U32, args.heads),
        pair("llama.attention.head_count_kv", U32, args.kv_heads),
        pair("llama.attention.layer_norm_rms_epsilon", F32, 1e-5),
        pair("llama.rope.dimension_count", U32, head),
        pair("llama.rope.freq_base", F32, 500000.0),
        pair("llama.vocab_size", U32, vocabulary),
    ]
    kv = head * args.kv_heads
    tensors = [("token_embd.weight", (args.hidden, vocabulary)), ("output_norm.weight", (args.hidden,)),
               ("output.weight", (args.hidden, vocabulary))]
    for n in range(args.layers):
        shapes = {"attn_norm": (args.hidden,), "attn_q": (args.hidden, args.hidden), "attn_k": (args.hidden, kv),
                  "attn_v": (args.hidden, kv), "attn_output": (args.hidden, args.hidden), "ffn_norm": (args.hidden,),
                  "ffn_gate": (args.hidden, args.ffn), "ffn_up": (args.hidden, args.ffn), "ffn_down": (args.ffn, args.hidden)}
        tensors += [(f"blk.{n}.{name}.weight", shape) for name, shape in shapes.items()]

    def size(shape):
        values = 1
        for n in shape:
            values *= n
        return values * 4 if len(shape) == 1 else values // 32 * 34

    infos, offset = [], 0
    for name, shape in tensors:
        kind = TENSOR_F32 if len(shape) == 1 else Q8_0
        infos.append(text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, offset))
        offset += (size(shape) + 31) // 32 * 32
    pairs = own + list(kept.values())
    header = struct.pack("<4sIQQ", b"GGUF", 3, len(tensors), len(pairs)) + b"".join(pairs) + b"".join(infos)
    # One megabyte of random blocks, over and over: as fast to write as to copy, as slow to multiply
    # as any weights. The scale keeps activations from growing without end.
    scale = struct.pack("<e", 0.02 / 128)
    noise = b"".join(scale + os.urandom(32) for _ in range(32768))
    with open(args.big, "wb") as file:
        file.write(header + b"\0" * (-len(header) % 32))
        for _, shape in tensors:
            if len(shape) == 1:
                block = struct.pack("<f", 1.0) * shape[0]
            else:
                need = size(shape)
                block = noise * (need // len(noise)) + noise[: need % len(noise)]
            file.write(block + b"\0" * (-len(block) % 32))
    print(f"{args.big}: {offset / 1e9:.2f} GB, {args.layers} layers, random weights")


main()
