"""Calls /test.Greeter/Who with gRPC's C core, by orders of one JSON line each on stdin; answers with one line each.

  {"id": 1, "target": T, "count": N, "headers": {}}   N calls, one after the other
  {"id": 2, "target": T, "rate": R}                   R calls a second, until
  {"id": 3, "end": 2}                                 which answers 2
Answers: {"id": 1, "counts": {who answered: how often}}. Errors count under `STATUS: details`.
"""
import json
import sys
import threading
import time

import grpc
import grpc.experimental

TIMEOUT_S = 20
# So many calls of a load at once: a machine that cannot keep up makes fewer of them, not all of them late.
AT_ONCE = 100
channels: dict[str, grpc.Channel] = {}
loads: dict[int, threading.Event] = {}
writing = threading.Lock()


def who(target: str):
    if target not in channels:
        trust = grpc.xds_channel_credentials(grpc.experimental.insecure_channel_credentials())
        channels[target] = grpc.secure_channel(target, trust)
    return channels[target].unary_unary("/test.Greeter/Who")


def outcome(future: grpc.Future) -> str:
    try:
        return future.result().decode()
    except grpc.RpcError as error:
        return f"{error.code().name}: {error.details()}"


def answer(order: int, answers: list[str]) -> None:
    counts = {name: answers.count(name) for name in set(answers)}
    with writing:
        print(json.dumps({"id": order, "counts": counts}), flush=True)


def call(id: int, target: str, count: int, headers: dict[str, str]) -> None:
    method = who(target)
    pairs = tuple(headers.items())
    answer(id, [outcome(method.future(b"", timeout=TIMEOUT_S, metadata=pairs)) for _ in range(count)])


def load(id: int, target: str, rate: int) -> None:
    method = who(target)
    futures = []
    slots = threading.Semaphore(AT_ONCE)
    due = time.monotonic()
    while not loads[id].is_set():
        slots.acquire()
        futures.append(method.future(b"", timeout=TIMEOUT_S))
        futures[-1].add_done_callback(lambda _: slots.release())
        due += 1 / rate
        time.sleep(max(0.0, due - time.monotonic()))
    answer(id, [outcome(future) for future in futures])


for line in sys.stdin:
    order = json.loads(line)
    if "end" in order:
        loads[order["end"]].set()
    elif "rate" in order:
        loads[order["id"]] = threading.Event()
        threading.Thread(target=load, kwargs=order, daemon=True).start()
    else:
        threading.Thread(target=call, kwargs=order, daemon=True).start()
