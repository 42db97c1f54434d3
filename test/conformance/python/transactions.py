"""Transactions, written once for every Python client. ../transactions_test.go says what each step is.

A client's module gives an adapter (see Client) and calls run(). One line per step on stdout; `crash` asks for the broker to be
killed and restarted, and is answered with a line.
"""
import os, sys, time, traceback

ADDR, IN, OUT, GROUP, ID = (os.environ[k] for k in ("BOOTSTRAP", "IN", "OUT", "GROUP", "TRANSACTIONAL_ID"))
ORDERS = 30


class Client:
    """What a client's module has to give."""

    def producer(self, transactional_id):
        """Returns an object with begin(), send(partition, value) to OUT, flush(), offsets(reader, {partition: next offset}), commit(), abort()."""
        raise NotImplementedError
    def reader(self, topic, group):
        """Returns a read_committed reader with poll() -> [(partition, offset, value)], seek({partition: offset}), close()."""
        raise NotImplementedError
    def fenced(self, error):
        """Whether the error says that another producer has taken the transactional id."""
        raise NotImplementedError


class Transactions:
    def __init__(self, client):
        self.client = client
        self.producer = client.producer(ID)

    def write(self, word, n):
        self.producer.begin()
        for i in range(n):
            self.producer.send(i % 2, f"{word}-{i}")

    def commit(self):
        self.write("paid", 10)
        self.producer.commit()

    def abort(self):
        self.write("refused", 10)
        self.producer.flush()
        self.producer.abort()

    def read_process_write(self):
        reader, done, first, end = self.client.reader(IN, GROUP), 0, True, time.time() + 60
        while done < ORDERS:
            assert time.time() < end, f"{done} of {ORDERS} orders within 60 s"
            got = reader.poll()
            if not got:
                continue
            self.producer.begin()
            nexts = {}
            for p, o, value in got:
                self.producer.send(p, value.replace("order", "aborted" if first else "shipped"))
                nexts[p] = o + 1
            self.producer.offsets(reader, nexts)
            if first:  # as if something had gone wrong: all of it again
                self.producer.abort()
                reader.seek({p: 0 for p in nexts})
                first = False
            else:
                self.producer.commit()
                done += len(got)
        reader.close()

    def zombie_is_fenced(self):
        zombie = self.client.producer(ID + "-zombie")
        zombie.begin()
        zombie.send(0, "zombie")
        zombie.flush()
        successor = self.client.producer(ID + "-zombie")
        try:
            zombie.send(1, "zombie")
            zombie.commit()
        except Exception as e:
            if not self.client.fenced(e):
                raise
        else:
            raise AssertionError("the zombie's commit succeeded")
        successor.begin()
        successor.send(0, "successor-0")
        successor.commit()

    def open_at_crash(self):
        self.write("open", 6)
        self.producer.flush()
        print("crash", flush=True)
        assert sys.stdin.readline(), "nobody crashes the broker"
        self.producer.send(0, "open-6")
        self.producer.commit()

    def reads_committed(self):
        want = sorted([f"paid-{i}" for i in range(10)] + [f"shipped-{i}" for i in range(ORDERS)] + ["successor-0"] + [f"open-{i}" for i in range(7)])
        reader, got, end = self.client.reader(OUT, GROUP + "-audit"), [], time.time() + 40
        while len(got) < len(want):
            assert time.time() < end, f"{len(got)} of {len(want)} records within 40 s: {got}"
            got += [v for _, _, v in reader.poll()]
        reader.close()
        assert sorted(got) == want, f"read {sorted(got)}"


def run(client):
    t = Transactions(client)
    for step in ["commit", "abort", "read_process_write", "zombie_is_fenced", "open_at_crash", "reads_committed"]:
        start, name = time.time(), step.replace("_", "-")
        try:
            getattr(t, step)()
        except BaseException as e:
            print(f"not ok {name}: {type(e).__name__}: {e}".replace("\n", " "), flush=True)
            traceback.print_exc()
            os._exit(1)
        print(f"ok {name}", flush=True)
        print(f"{name}: {time.time() - start:.1f} s", file=sys.stderr, flush=True)
    os._exit(0)  # client threads that hang must not hide the result
