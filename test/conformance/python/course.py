"""The beginner's course, written once for every Python client.

A client's module gives an adapter (see Client) and calls run(). `PROGRAM before` walks through everything up to the crash of the
broker and leaves in $STATE what was acknowledged and committed; `PROGRAM after` looks for it. One line per step on stdout:
`ok STEP` or `not ok STEP: why`. $BOOTSTRAP, $TOPIC and $GROUP say where.
"""
import json, os, sys, threading, time, traceback

ADDR, TOPIC, GROUP, STATE = (os.environ[k] for k in ("BOOTSTRAP", "TOPIC", "GROUP", "STATE"))
REPLICATION = int(os.environ["REPLICATION"])
ORDERS, CUSTOMERS, LARGE = 60, 12, 1_500_000


class Client:
    """What a client's module has to give. A record is (partition, offset, key, order); an order is a dict."""

    def create(self, topic, partitions): raise NotImplementedError
    def partitions(self, topic): raise NotImplementedError
    def grow(self, topic, total): raise NotImplementedError
    def configure(self, topic, name, value): raise NotImplementedError
    def send(self, topic, orders, partitions=None):
        """Sends with the customer as key, flushes, returns [(partition, offset)] in order."""
        raise NotImplementedError
    def send_large(self, topic, size):
        """Returns (partition, offset), or the name of the broker's error."""
        raise NotImplementedError
    def reader(self, topic, group, reset="earliest"):
        """Returns an object with poll() -> records, commit({partition: next offset}), assignment() -> partitions, close()."""
        raise NotImplementedError
    def committed(self, topic, group, partitions):
        """Returns {partition: offset} of those that have one."""
        raise NotImplementedError


def order(i):
    return {"id": i, "customer": f"customer-{i % CUSTOMERS}", "note": "주문"}


def same(want, got, what):
    if want != got:
        raise AssertionError(f"{what}: want {want!r}, got {got!r}")


def until(seconds, what, f):
    end = time.time() + seconds
    while True:
        v = f()
        if v:
            return v
        if time.time() > end:
            raise AssertionError(f"not within {seconds} s: {what()if callable(what) else what}")
        time.sleep(0.05)


def take(reader, n, seconds=40):
    """Polls until at least n records have come."""
    got, end = [], time.time() + seconds
    while len(got) < n:
        if time.time() > end:
            raise AssertionError(f"{len(got)} of {n} records within {seconds} s")
        got += reader.poll()
    return got


def nexts(records):
    out = {}
    for p, o, _, _ in records:
        out[p] = max(out.get(p, 0), o + 1)
    return out


class Member(threading.Thread):
    """One consumer of a group in its own thread."""

    def __init__(self, client, topic, group):
        super().__init__(daemon=True)
        self.client, self.topic, self.group = client, topic, group
        self.stopping, self.error = threading.Event(), None
        self.assigned = None  # the partitions it held after its last poll
        self.start()

    def run(self):
        try:
            reader = self.client.reader(self.topic, self.group)
            while not self.stopping.is_set():
                reader.poll()
                self.assigned = sorted(reader.assignment())
            reader.close()
        except Exception as e:
            self.error = e

    def stop(self):
        self.stopping.set()
        self.join(30)


class Course:
    def __init__(self, client):
        self.client = client
        self.acknowledged = []  # (partition, offset, order id)
        self.committed = {}

    def send(self, ids, partitions=None):
        places = self.client.send(TOPIC, [order(i) for i in ids], partitions)
        self.acknowledged += [(p, o, i) for (p, o), i in zip(places, ids, strict=True)]

    # before the crash

    def create_topic(self):
        self.client.create(TOPIC, 3)
        until(15, "three partitions in metadata", lambda: self.client.partitions(TOPIC) == 3)

    def produce_json_with_keys(self):
        self.send(range(ORDERS))
        same(ORDERS, len({(p, o) for p, o, _ in self.acknowledged}), "places of acknowledged orders")

    def same_key_same_partition_in_order(self):
        reader = self.client.reader(TOPIC, GROUP + "-order")
        got = take(reader, ORDERS)
        reader.close()
        same(sorted(self.acknowledged), sorted((p, o, v["id"]) for p, o, _, v in got), "records")
        same([], [v for _, _, _, v in got if v != order(v["id"])], "changed values")
        by_key = {}
        for p, _, key, v in got:
            by_key.setdefault(key, []).append((p, v["id"]))
        same(CUSTOMERS, len(by_key), "keys")
        for key, seen in by_key.items():
            same(1, len({p for p, _ in seen}), f"partitions of {key}")
            same(sorted(i for _, i in seen), [i for _, i in seen], f"order of {key}")

    def group_reads_and_commits(self):
        reader = self.client.reader(TOPIC, GROUP)
        got = take(reader, 20)[:20]  # what came beyond is not handled, as if the program had died
        self.committed = nexts(got)
        reader.commit(self.committed)
        reader.close()
        self.handled = {v["id"] for _, _, _, v in got}

    def restart_resumes_at_commit(self):
        reader = self.client.reader(TOPIC, GROUP)
        got = take(reader, ORDERS - len(self.handled)) if len(self.handled) < ORDERS else []
        same(set(), self.handled & {v["id"] for _, _, _, v in got}, "orders handled twice")
        same(ORDERS, len(self.handled | {v["id"] for _, _, _, v in got}), "orders handled")
        if got:
            reader.commit(nexts(got))
        self.committed |= nexts(got)
        reader.close()
        same(self.committed, self.client.committed(TOPIC, GROUP, range(3)), "committed offsets")

    def second_group_reads_everything(self):
        reader = self.client.reader(TOPIC, GROUP + "-audit")
        same(ORDERS, len(take(reader, ORDERS)), "records")
        reader.close()

    def members_share_partitions(self):
        group, members = GROUP + "-shared", []

        def shares():
            for m in members:
                if m.error:
                    raise m.error
            held = [m.assigned for m in members]
            return None if None in held else held

        def split(*sizes):
            def settled():
                held = shares()
                return held is not None and sorted(map(len, held)) == sorted(sizes) and sorted(sum(held, [])) == [0, 1, 2]
            until(40, lambda: f"partitions shared {sizes}, is {shares()}", settled)
        try:
            members += [Member(self.client, TOPIC, group) for _ in range(3)]
            split(1, 1, 1)
            members.append(Member(self.client, TOPIC, group))
            split(1, 1, 1, 0)
            leaver = next(m for m in members if m.assigned)
            leaver.stop()
            members.remove(leaver)
            split(1, 1, 1)
        finally:
            for m in members:
                m.stopping.set()
            for m in members:
                m.stop()

    def partitions_grow(self):
        self.client.grow(TOPIC, 6)
        until(15, "six partitions in metadata", lambda: self.client.partitions(TOPIC) == 6)
        until(15, "a producer that knows them", self.sent_to_new_partitions)  # not every node may have heard of them yet
        same([3, 4, 5], [p for p, _, i in self.acknowledged if i >= ORDERS], "new partitions")

    def sent_to_new_partitions(self):
        try:
            self.send([ORDERS, ORDERS + 1, ORDERS + 2], [3, 4, 5])
        except AssertionError as e:
            if "_UNKNOWN_PARTITION" not in str(e):
                raise
            return False
        return True

    def latest_skips_what_was_there(self):
        reader, got, i = self.client.reader(TOPIC, GROUP + "-late", "latest"), [], 1000
        end = time.time() + 40
        while not got:
            assert time.time() < end, "no new order within 40 s"
            self.send([i])
            i += 1
            got += reader.poll()
        same([], [v["id"] for _, _, _, v in got if v["id"] < 1000], "old orders read")
        reader.close()

    def large_message_needs_a_larger_limit(self):
        same("MESSAGE_TOO_LARGE", self.client.send_large(TOPIC, LARGE), "answer to 1.5 MB")
        self.client.configure(TOPIC, "max.message.bytes", "3000000")
        place = until(15, "1.5 MB accepted after max.message.bytes was raised", lambda: self.accepted_large())
        self.acknowledged.append((*place, -1))

    def accepted_large(self):
        answer = self.client.send_large(TOPIC, LARGE)
        return answer if answer != "MESSAGE_TOO_LARGE" else None

    # after the crash

    def acknowledged_survives(self):
        reader = self.client.reader(TOPIC, GROUP + "-check")
        got = take(reader, len(self.acknowledged))
        reader.close()
        same(sorted(self.acknowledged), sorted((p, o, v["id"]) for p, o, _, v in got), "records")

    def committed_survives(self):
        same(self.committed, self.client.committed(TOPIC, GROUP, range(6)), "committed offsets")

    def group_goes_on(self):
        behind = {i for p, o, i in self.acknowledged if o >= self.committed.get(p, 0)}
        self.send([2000])
        reader = self.client.reader(TOPIC, GROUP)
        got = take(reader, len(behind) + 1)
        reader.close()
        same(sorted(behind | {2000}), sorted(v["id"] for _, _, _, v in got), "orders read on")


BEFORE = ["create_topic", "produce_json_with_keys", "same_key_same_partition_in_order", "group_reads_and_commits", "restart_resumes_at_commit", "second_group_reads_everything", "members_share_partitions", "partitions_grow", "latest_skips_what_was_there", "large_message_needs_a_larger_limit"]
AFTER = ["acknowledged_survives", "committed_survives", "group_goes_on"]


def walk(course, steps):
    for step in steps:
        start = time.time()
        name = step.replace("_", "-")
        try:
            getattr(course, step)()
            print(f"ok {name}", flush=True)
        except BaseException as e:
            print(f"not ok {name}: {type(e).__name__}: {e}".replace("\n", " "), flush=True)
            traceback.print_exc()
            return False
        print(f"{name}: {time.time() - start:.1f} s", file=sys.stderr, flush=True)
    return True


def run(client):
    course = Course(client)
    if sys.argv[1] == "before":
        ok = walk(course, BEFORE)
        with open(STATE, "w") as f:
            json.dump({"acknowledged": course.acknowledged, "committed": course.committed}, f)
    else:
        with open(STATE) as f:
            state = json.load(f)
        course.acknowledged = [tuple(a) for a in state["acknowledged"]]
        course.committed = {int(p): o for p, o in state["committed"].items()}
        ok = walk(course, AFTER)
    sys.stdout.flush()
    os._exit(0 if ok else 1)  # client threads that hang must not hide the result
