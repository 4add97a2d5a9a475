"""Calls /test.Greeter/Who of a target with gRPC's C core and prints who answered how often, as JSON.

  c-core-client.py TARGET COUNT [KEY=VALUE ...]   that many calls
  c-core-client.py TARGET until NAME              until NAME has answered 20 times in a row
Errors count under their status.
"""
import json
import sys

import grpc

target, wanted, *rest = sys.argv[1:]
metadata = [] if wanted == "until" else [tuple(pair.split("=", 1)) for pair in rest]
counts: dict[str, int] = {}
in_a_row = 0

with grpc.insecure_channel(target) as channel:
    who = channel.unary_unary("/test.Greeter/Who")
    made = 0
    while in_a_row < 20 if wanted == "until" else made < int(wanted):
        made += 1
        try:
            answer = who(b"", timeout=20, wait_for_ready=made == 1, metadata=metadata).decode()
        except grpc.RpcError as error:
            answer = f"{error.code().name}: {error.details()}"
        counts[answer] = counts.get(answer, 0) + 1
        in_a_row = in_a_row + 1 if rest == [answer] else 0
        if made == 20_000:
            break

print(json.dumps(counts))
