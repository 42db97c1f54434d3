"""What consumers of a group do, with librdkafka, in the protocol that $GROUP_PROTOCOL names. ../consumers_test.go says what each step is."""
import os, queue, sys, threading, time, traceback
from confluent_kafka import OFFSET_BEGINNING, Consumer, ConsumerGroupTopicPartitions, ConsumerGroupType, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

ADDR, TOPIC, GROUP, PROTOCOL = (os.environ[k] for k in ("BOOTSTRAP", "TOPIC", "GROUP", "GROUP_PROTOCOL"))
CLASSIC = PROTOCOL == "classic"
PARTITIONS = 4
SERVERS = {"bootstrap.servers": ADDR, "log_level": 2, "topic.metadata.propagation.max.ms": 10000}


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
            raise AssertionError(f"not within {seconds} s: {what()}")
        time.sleep(0.02)


class Member(threading.Thread):
    """One consumer of a group, polled by a thread of its own as in a process of its own."""

    def __init__(self, group, topic, config):
        super().__init__(daemon=True)
        config = {**SERVERS, "group.id": group, "group.protocol": PROTOCOL, "auto.offset.reset": "earliest", "enable.auto.commit": False,
                  "topic.metadata.refresh.interval.ms": 1000, **config}
        if CLASSIC:
            config |= {"session.timeout.ms": 10000, "heartbeat.interval.ms": 500}
        self.consumer, self.topic = Consumer(config), topic
        self.orders, self.records = queue.Queue(), queue.Queue()
        self.assigned, self.error, self.ending = set(), None, False
        self.start()

    def run(self):
        try:
            self.consumer.subscribe([self.topic])
            while not self.ending:
                for m in self.consumer.consume(100, 0.1):
                    if m.error() is None:
                        self.records.put(m)
                    elif m.error().code() not in (KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN, KafkaError._MAX_POLL_EXCEEDED, KafkaError.UNKNOWN_TOPIC_OR_PART):
                        raise KafkaException(m.error())
                self.assigned = {(tp.topic, tp.partition) for tp in self.consumer.assignment()}
                while not self.orders.empty():
                    self.orders.get()()
            self.consumer.close()
        except BaseException as e:
            self.assigned, self.error = set(), e

    def ask(self, question):
        """Has the consumer's own thread answer, between two polls."""
        answers = queue.Queue()

        def answer():
            try:
                answers.put((question(self.consumer), None))
            except BaseException as e:
                answers.put((None, e))
        self.orders.put(answer)
        got, error = answers.get(timeout=40)
        if error:
            raise error
        return got

    def taken(self):
        out = []
        while not self.records.empty():
            out.append(self.records.get())
        return out

    def close(self):
        self.ending = True
        self.join(20)


def nexts(records, metadata=""):
    ends = {}
    for m in records:
        ends[m.topic(), m.partition()] = max(ends.get((m.topic(), m.partition()), 0), m.offset() + 1)
    return [TopicPartition(t, p, o, metadata) for (t, p), o in ends.items()]


def plain(offsets):
    return sorted((tp.topic, tp.partition, tp.offset, tp.metadata or "") for tp in offsets if tp.offset >= 0)


def crash():
    print("crash", flush=True)
    assert sys.stdin.readline(), "nobody crashes the broker"


class Consumers:
    def __init__(self):
        self.admin, self.producer = AdminClient(SERVERS), Producer({**SERVERS, "enable.idempotence": True})
        self.members, self.sent = [], 0

    def join(self, group, topic=TOPIC, **config):
        m = Member(group, topic, {k.replace("_", "."): v for k, v in config.items()})
        self.members.append(m)
        return m

    def leave(self, m):
        self.members.remove(m)
        m.close()

    def leave_all(self):
        for m in list(self.members):
            self.leave(m)

    def create(self, topic, partitions):
        self.admin.create_topics([NewTopic(topic, partitions, int(os.environ["REPLICATION"]))])[topic].result(30)

    def send(self, topic, n):
        failed = []
        for i in range(n * PARTITIONS):
            self.producer.produce(topic, str(self.sent), "k", i % PARTITIONS, on_delivery=lambda e, m: e and failed.append(e))
            self.sent += 1
        same(0, self.producer.flush(60), "records not acknowledged")
        same([], failed, "failed records")

    def no_errors(self):
        for m in self.members:
            if m.error:
                raise m.error

    def share(self, *sizes):
        def settled():
            self.no_errors()
            held = [m.assigned for m in self.members]
            return sorted(map(len, held)) == sorted(sizes) and sum(map(len, held)) == PARTITIONS == len(set().union(*held))
        until(60, lambda: f"shares {sizes}, is {[m.assigned for m in self.members]}", settled)

    def take(self, n):
        got = []

        def enough():
            self.no_errors()
            for m in self.members:
                got.extend(m.taken())
            return len(got) >= n
        until(60, lambda: f"{len(got)} of {n} records", enough)
        same(n, len({m.value() for m in got}), "different records")
        same(n, len(got), "records")
        return got

    def committed(self, group):
        return self.admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])[group].result(60).topic_partitions

    # steps

    def join_alone(self):
        self.create(TOPIC, PARTITIONS)
        self.send(TOPIC, 10)
        self.join(GROUP)
        self.share(PARTITIONS)
        self.take(40)
        listed = [g for g in self.admin.list_consumer_groups().result(30).valid if g.group_id == GROUP]
        same([ConsumerGroupType.CLASSIC if CLASSIC else ConsumerGroupType.CONSUMER], [g.type for g in listed], "types of the group")
        same(1, len(self.admin.describe_consumer_groups([GROUP])[GROUP].result(30).members), "members described")

    def rebalance(self):
        second = self.join(GROUP)
        self.share(2, 2)
        third = self.join(GROUP)
        self.share(1, 1, 2)
        self.leave(second)
        self.share(2, 2)
        self.leave(third)
        self.share(PARTITIONS)
        self.leave_all()

    def commit(self):
        group = GROUP + "-commit"
        m = self.join(group)
        first = self.take(40)
        first = [r for r in first if r.offset() < 3]
        m.ask(lambda c: c.commit(offsets=nexts(first, "note"), asynchronous=False))
        self.leave_all()
        same(plain(nexts(first, "note")), plain(self.committed(group)), "committed offsets")
        crash()
        same(plain(nexts(first, "note")), plain(self.committed(group)), "committed offsets after the crash")
        m = self.join(group)
        rest = self.take(28)
        same([], [r.offset() for r in rest if r.offset() < 3], "records read twice")
        m.ask(lambda c: c.commit(offsets=nexts(rest), asynchronous=True))
        until(30, lambda: "all offsets committed", lambda: sum(tp.offset for tp in self.committed(group)) == 40)
        self.leave_all()

    def seek(self):
        m = self.join(GROUP + "-seek")
        self.take(40)
        m.ask(lambda c: c.seek(TopicPartition(TOPIC, 2, 4)))
        same([4, 5, 6, 7, 8, 9], [r.offset() for r in self.take(6)], "offsets after seek")
        m.ask(lambda c: c.seek(TopicPartition(TOPIC, 2, OFFSET_BEGINNING)))
        self.take(10)
        same((0, 10), m.ask(lambda c: c.get_watermark_offsets(TopicPartition(TOPIC, 2), 20)), "watermarks")
        same(0, m.ask(lambda c: c.offsets_for_times([TopicPartition(TOPIC, 2, 0)], 20))[0].offset, "first offset after the epoch")
        self.leave_all()

    def pause(self):
        m = self.join(GROUP + "-pause")
        self.take(40)
        one = [TopicPartition(TOPIC, 1)]
        m.ask(lambda c: c.pause(one))
        self.send(TOPIC, 2)
        same([0, 0, 2, 2, 3, 3], sorted(r.partition() for r in self.take(6)), "partitions read")
        m.ask(lambda c: c.resume(one))
        same([1, 1], [r.partition() for r in self.take(2)], "partitions read after resume")
        self.leave_all()

    def static_members(self):
        group = GROUP + "-static"
        a, b = self.join(group, group_instance_id="a"), self.join(group, group_instance_id="b")
        self.share(2, 2)
        of = b.assigned
        self.leave(b)  # a static member that closes keeps its partitions for the session's time
        again = self.join(group, group_instance_id="b")
        until(40, lambda: f"the same partitions, is {again.assigned}", lambda: again.assigned == of)
        same(2, len(a.assigned), "partitions of the other")
        # The same instance a second time: the older one goes in classic groups, the newer one is refused in the new protocol.
        twin = Member(group, TOPIC, {"group.instance.id": "b"})
        loser = again if CLASSIC else twin
        until(40, lambda: "one of the twins fails", lambda: loser.error)
        want = (KafkaError._FATAL, KafkaError.FENCED_INSTANCE_ID) if CLASSIC else (KafkaError._FATAL, KafkaError.UNRELEASED_INSTANCE_ID)
        if loser.error.args[0].code() not in want:
            raise loser.error
        if loser in self.members:
            self.members.remove(loser)
        twin.close()
        self.leave_all()

    def regex(self):
        first, second = TOPIC + "-regex-1", TOPIC + "-regex-2"
        self.create(first, PARTITIONS)
        self.create(TOPIC + "-regex-x", 1)
        m = self.join(GROUP + "-regex", f"^{TOPIC}-regex-[0-9]+$")
        until(40, lambda: f"one topic, is {m.assigned} {m.error}", lambda: len(m.assigned) == PARTITIONS)
        self.create(second, PARTITIONS)
        until(40, lambda: f"two topics, is {m.assigned} {m.error}", lambda: len(m.assigned) == 2 * PARTITIONS)
        same({first, second}, {t for t, _ in m.assigned}, "topics")
        self.send(second, 1)
        self.take(PARTITIONS)
        self.leave_all()

    def crash_at_work(self):
        group = GROUP + "-crash"
        for _ in range(3):
            self.join(group)
        self.share(1, 1, 2)

        def read():
            return sum(max(tp.offset, 0) for m in self.members for tp in m.ask(lambda c: c.position(c.assignment())))
        until(60, lambda: f"{read()} of 48 records read by those who have the partitions now", lambda: read() == 48)
        for m in self.members:
            m.ask(lambda c: c.commit(asynchronous=False))
            m.taken()
        crash()
        self.send(TOPIC, 5)
        got = self.take(20)
        self.share(1, 1, 2)
        for m in self.members:
            m.ask(lambda c: c.commit(offsets=nexts([r for r in got if (r.topic(), r.partition()) in m.assigned]), asynchronous=False))
        same(68, sum(tp.offset for tp in self.committed(group)), "sum of committed offsets")
        self.leave(self.members[0])
        self.share(2, 2)
        self.leave_all()


c = Consumers()
for name, step in {"join": c.join_alone, "rebalance": c.rebalance, "commit": c.commit, "seek": c.seek, "pause": c.pause,
                   "static-members": c.static_members, "regex": c.regex, "crash-at-work": c.crash_at_work}.items():
    start = time.time()
    try:
        step()
    except BaseException as e:
        print(f"not ok {name}: {type(e).__name__}: {e}".replace("\n", " "), flush=True)
        traceback.print_exc()
        os._exit(1)
    print(f"ok {name}", flush=True)
    print(f"{name}: {time.time() - start:.1f} s", file=sys.stderr, flush=True)
os._exit(0)  # client threads that hang must not hide the result
