"""The runner of the everyday suite: each client's module (check_*.py) has its tests and calls run().

A test is a function without arguments. $BOOTSTRAP is the broker; a test may take LIMIT seconds. Arguments choose tests by a part of their name. Prints `ok CLIENT-VERSION/NAME` or `not ok CLIENT-VERSION/NAME: why` for each.
"""
import json, os, sys, threading, time, traceback, uuid

ADDR = os.environ.get("BOOTSTRAP", "localhost:9092")
REPLICATION = int(os.environ.get("REPLICATION", "1"))
LIMIT = 60


def fresh(word):
    return f"py-{word}-{uuid.uuid4().hex[:10]}"


def run(label, tests):
    failed, only = 0, sys.argv[1:]

    def body(test, box):
        try:
            test()
            box.append(None)
        except BaseException as e:
            box.append(e)

    for test in tests:
        name = test.__name__.replace("_", "-")
        if only and not any(o in name for o in only):
            continue
        box = []
        start = time.time()
        t = threading.Thread(target=body, args=(test, box), daemon=True)
        t.start()
        t.join(LIMIT)
        error = box[0] if box else TimeoutError(f"not done in {LIMIT} s")
        if error:
            failed += 1
            print(f"not ok {label}/{name}: {type(error).__name__}: {error}".replace("\n", " "), flush=True)
            traceback.print_exception(type(error), error, error.__traceback__, limit=-4)
        else:
            print(f"ok {label}/{name}", flush=True)
        print(f"{label}/{name}: {time.time() - start:.1f} s", file=sys.stderr, flush=True)
    sys.stdout.flush()
    os._exit(1 if failed else 0)  # a client's threads that hang must not hide the result


def until(seconds, what, f):
    end = time.time() + seconds
    while time.time() < end:
        v = f()
        if v:
            return v
        time.sleep(0.1)
    raise AssertionError(f"not after {seconds} s: {what}")


def same(want, got, what="value"):
    assert want == got, f"{what}: want {want!r}, got {got!r}"


def value(i):
    return json.dumps({"id": i, "name": "사용자" + str(i)}, ensure_ascii=False).encode()
