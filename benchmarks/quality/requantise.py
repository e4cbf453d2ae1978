"""Write a GGUF file again with its matrices in another format: two qualities of one model to tell apart.

    pip install gguf
    python benchmarks/quality/requantise.py FROM.gguf TO.gguf Q8_0|Q4_0|Q5_0|...

The matrices are made from those of the file, not from the original weights: a Q8_0 of a Q4_1 file is as good as that file
and no better, and a Q4_0 of it has lost something twice. Say so beside what is measured with them.
"""

import sys

import gguf
import numpy as np


def main() -> int:
    source, target, kind = sys.argv[1], sys.argv[2], gguf.GGMLQuantizationType[sys.argv[3]]
    reader = gguf.GGUFReader(source)
    writer = gguf.GGUFWriter(target, reader.fields["general.architecture"].contents())
    for field in reader.fields.values():
        if field.name.startswith("GGUF.") or field.name in ("general.architecture", "general.file_type"):
            continue
        inner = field.types[-1] if field.types[0] == gguf.GGUFValueType.ARRAY else None
        writer.add_key_value(field.name, field.contents(), field.types[0], sub_type=inner)
    changed = 0
    block = gguf.GGML_QUANT_SIZES[kind][0]
    tensors = []
    for tensor in reader.tensors:
        data, now = tensor.data, tensor.tensor_type
        if len(tensor.shape) == 2 and int(tensor.shape[0]) % block == 0:
            data, now = gguf.quants.quantize(gguf.quants.dequantize(data, now).astype(np.float32), kind), kind
            changed += 1
        tensors.append((tensor.name, data, now))
        writer.add_tensor(tensor.name, data, raw_dtype=now)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    print(f"{target}: {changed} of {len(tensors)} tensors are {kind.name} now")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
