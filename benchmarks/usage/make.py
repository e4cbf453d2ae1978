#!/usr/bin/env python3
"""Make a usage log of a given size: python3 make.py FORMAT MEBIBYTES > FILE

FORMAT is claude-code (rows of about 1.5 kB, 1 to 5 to an answer), litellm (1.2 kB, ids), openai (answers
of 400 bytes, ids), generic (120 bytes, ids) or burstgpt (40 bytes, no ids). Everything is made up, the
same for the same arguments; the last line on stderr says the totals that a reader must find.
"""

import json
import random
import sys
import uuid

FORMATS = ("claude-code", "litellm", "openai", "generic", "burstgpt")
START = 1_780_000_000


def iso(second):
    import datetime
    return datetime.datetime.fromtimestamp(second, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in FORMATS:
        sys.exit(__doc__)
    kind, size = sys.argv[1], float(sys.argv[2]) * 1024 * 1024
    draw = random.Random(7)
    filler = "".join(draw.choice("abcdefghij klmnop\\n\\\"") for _ in range(4000)).replace("\\\\", "\\")
    filler = json.dumps(filler)[1:-1]
    written = requests = prompt = output = 0
    second = START
    out = sys.stdout
    if kind == "burstgpt":
        out.write("Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n")
    while written < size:
        second += draw.randrange(3)
        p, o = int(draw.lognormvariate(7.5, 1.5)) + 1, int(draw.lognormvariate(5, 1)) + 1
        number = draw.getrandbits(96)
        requests, prompt, output = requests + 1, prompt + p, output + o
        cached = p // 2
        if kind == "claude-code":
            rows = draw.randrange(1, 6)
            text = filler[: draw.randrange(200, 1600) // 2 * 2].rstrip("\\")
            lines = []
            for row in range(rows):
                lines.append(
                    '{"parentUuid":"%s","isSidechain":false,"userType":"external","cwd":"/home/u/demo","sessionId":"%s",'
                    '"version":"2.1.200","gitBranch":"main","message":{"model":"claude-sonnet-5","id":"msg_01%024x","type":"message",'
                    '"role":"assistant","content":[{"type":"text","text":"%s"}],"stop_reason":null,"usage":{"input_tokens":%d,'
                    '"cache_creation_input_tokens":0,"cache_read_input_tokens":%d,"cache_creation":{"ephemeral_5m_input_tokens":0,'
                    '"ephemeral_1h_input_tokens":0},"output_tokens":%d,"service_tier":"standard"}},"requestId":"req_01%024x",'
                    '"type":"assistant","uuid":"%s","timestamp":"%s"}\n'
                    % (uuid.UUID(int=number), uuid.UUID(int=number >> 40), number, text, p - cached, cached,
                       o if row == rows - 1 else min(o, 3), number, uuid.UUID(int=number + row), iso(second))
                )
            line = "".join(lines)
        elif kind == "litellm":
            line = (
                '{"request_id":"chatcmpl-%024x","call_type":"acompletion","api_key":"%064x","spend":0.0045,"total_tokens":%d,'
                '"prompt_tokens":%d,"completion_tokens":%d,"startTime":"%s","model":"openai/gpt-5.6","custom_llm_provider":"openai",'
                '"metadata":{"usage_object":{"prompt_tokens_details":{"cached_tokens":%d}}},"cache_hit":"False","messages":[{"role":'
                '"user","content":"%s"}],"response":{},"status":"success"}\n'
                % (number, number, p + o, p, o, iso(second), cached, filler[:600].rstrip("\\"))
            )
        elif kind == "openai":
            line = (
                '{"id":"chatcmpl-%024x","object":"chat.completion","created":%d,"model":"gpt-5.6","choices":[{"index":0,"message":'
                '{"role":"assistant","content":"%s"},"finish_reason":"stop"}],"usage":{"prompt_tokens":%d,"completion_tokens":%d,'
                '"total_tokens":%d,"prompt_tokens_details":{"cached_tokens":%d}}}\n'
                % (number, second, filler[:100].rstrip("\\"), p, o, p + o, cached)
            )
        elif kind == "generic":
            line = '{"ts":%d,"model":"m-%d","in":%d,"hit":%d,"out":%d,"rid":"%024x"}\n' % (
                second, number % 5, p, cached, o, number)
        else:
            line = "%d,GPT-%d,%d,%d,%d,API log\n" % (second - START, number % 4, p, o, p + o)
        out.write(line)
        written += len(line)
    sys.stderr.write("requests %d prompt %d output %d\n" % (requests, prompt, output))


main()
