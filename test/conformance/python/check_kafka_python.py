"""kafka-python 2.0.2, 2.3.x and 3.x: one script for all."""
import json, threading, time
import kafka
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic
from kafka.errors import CommitFailedError, RebalanceInProgressError
from kafka.structs import OffsetAndMetadata
from checks import ADDR, REPLICATION, fresh, run, same, until, value

VERSION = tuple(int(x) for x in kafka.__version__.split(".")[:2])
POLL_MS = 200 if VERSION < (3, 0) else 3000  # see course_kafka_python.py


def offset_and_metadata(o):
    return OffsetAndMetadata(o, "") if VERSION < (2, 1) else OffsetAndMetadata(o, "", -1)


def create(word, partitions=1):
    t = fresh(word)
    a = KafkaAdminClient(bootstrap_servers=ADDR)
    a.create_topics([NewTopic(t, num_partitions=partitions, replication_factor=REPLICATION)])
    a.close()
    return t


def fill(t, n, **kw):
    p = KafkaProducer(**{"bootstrap_servers": ADDR, "acks": "all", "value_serializer": lambda v: json.dumps(v).encode(), "key_serializer": str.encode, **kw})
    fs = [p.send(t, key=f"k{i}", value={"id": i}) for i in range(n)]
    p.flush(30)
    out = [f.get(10) for f in fs]
    p.close()
    return out


def consumer(*topics, **kw):
    args = dict(bootstrap_servers=ADDR, auto_offset_reset="earliest", enable_auto_commit=False, value_deserializer=lambda v: json.loads(v), consumer_timeout_ms=15000)
    args.update(kw)
    return KafkaConsumer(*topics, **args)


def take(c, n, seconds=30):
    out, end = [], time.time() + seconds
    while len(out) < n and time.time() < end:
        for rs in c.poll(timeout_ms=POLL_MS, max_records=n - len(out)).values():
            out += rs
    return out


def create_topic():
    t = create("create", 3)
    c = consumer()
    same({0, 1, 2}, until(15, "partitions", lambda: c.partitions_for_topic(t)), "partitions")
    c.close()


def produce_json_with_key_and_iterate():
    t = create("json")
    meta = fill(t, 50)
    same(list(range(50)), [m.offset for m in meta], "offsets")
    c = consumer(t)
    got = []
    for r in c:
        got.append(r)
        if len(got) == 50:
            break
    same([("k%d" % i).encode() for i in range(50)], [r.key for r in got], "keys")
    same([{"id": i} for i in range(50)], [r.value for r in got], "values")
    c.close()


def auto_create_topic_by_producing():
    t = fresh("auto")
    fill(t, 3)
    c = consumer(t)
    same(3, len(take(c, 3)), "records")
    c.close()


def group_manual_commit_and_resume():
    t = create("resume")
    fill(t, 30)
    c = consumer(t, group_id=t)
    same(10, len(take(c, 10)), "first batch")
    c.commit({TopicPartition(t, 0): offset_and_metadata(10)})
    c.close()
    c = consumer(t, group_id=t)
    got = take(c, 20)
    same(list(range(10, 30)), [r.offset for r in got], "offsets after restart")
    same(10, c.committed(TopicPartition(t, 0)), "committed")
    c.close()


def group_auto_commit_on_close():
    t = create("autocommit")
    fill(t, 5)
    c = consumer(t, group_id=t, enable_auto_commit=True, auto_commit_interval_ms=500)
    take(c, 5)
    c.close()
    c = consumer(group_id=t)
    same(5, c.committed(TopicPartition(t, 0)), "committed")
    c.close()


def two_consumers_rebalance():
    t = create("rebalance", 4)
    fill(t, 100)
    stop, seen, assigned = threading.Event(), [[], []], [set(), set()]

    def member(i, stopped):
        c = consumer(t, group_id=t, session_timeout_ms=10000, heartbeat_interval_ms=1000)
        while not stop.is_set() and not stopped.is_set():
            for rs in c.poll(timeout_ms=POLL_MS).values():
                seen[i] += [(r.partition, r.offset) for r in rs]
            assigned[i] = set(c.assignment())
            try:
                if seen[i]:
                    c.commit()
            except (CommitFailedError, RebalanceInProgressError):
                pass  # the group is being rebalanced: the next poll takes part in it
        c.close()
        assigned[i] = set()

    stops = [threading.Event(), threading.Event()]
    ts = [threading.Thread(target=member, args=(0, stops[0]), daemon=True)]
    ts[0].start()
    try:
        until(30, "first has all", lambda: len(assigned[0]) == 4)
        ts.append(threading.Thread(target=member, args=(1, stops[1]), daemon=True))
        ts[1].start()
        until(40, "two each", lambda: len(assigned[0]) == 2 and len(assigned[1]) == 2)
        stops[1].set()
        until(40, "first has all again", lambda: len(assigned[0]) == 4)
        until(20, "all records", lambda: len(set(seen[0] + seen[1])) == 100)
    finally:
        stop.set()
    ts[0].join(10)


def seek_and_offsets_for_times():
    t = create("seek")
    a = KafkaAdminClient(bootstrap_servers=ADDR)
    p = KafkaProducer(bootstrap_servers=ADDR, acks="all")
    base = int(time.time() * 1000) - 100000
    for i in range(20):
        p.send(t, value(i), partition=0, timestamp_ms=base + i * 1000)
    p.flush(20)
    p.close()
    a.close()
    c = consumer()
    tp = TopicPartition(t, 0)
    same(11, c.offsets_for_times({tp: base + 10500})[tp].offset, "offset by time")
    assert c.offsets_for_times({tp: base + 10**6})[tp] is None, "time after the end"
    same({tp: 0}, c.beginning_offsets([tp]))
    same({tp: 20}, c.end_offsets([tp]))
    c.assign([tp])
    c.seek(tp, 15)
    same([15, 16, 17, 18, 19], [r.offset for r in take(c, 5)], "after seek")
    c.seek_to_beginning(tp)
    same(0, take(c, 1)[0].offset)
    c.close()


def compression():
    t = create("codec")
    codecs = ["gzip", "snappy", "lz4", "zstd"]
    for codec in codecs:
        fill(t, 20, compression_type=codec)
    c = consumer(t)
    same(20 * len(codecs), len(take(c, 20 * len(codecs))), "records")
    c.close()


def admin_describe_and_delete():
    t = create("admin", 2)
    fill(t, 5)
    c = consumer(t, group_id=t)
    take(c, 5)
    c.commit()
    a = KafkaAdminClient(bootstrap_servers=ADDR)
    assert t in a.list_topics(), "listed"
    d = a.describe_topics([t]) if VERSION >= (2, 0) else None
    assert d and len(d[0]["partitions"]) == 2, d
    c.close()
    if VERSION < (3, 0):
        same(5, sum(o.offset for o in a.list_consumer_group_offsets(t).values()), "group offsets")
    else:
        same(5, sum(o.offset for o in a.list_group_offsets([t])[t].values()), "group offsets")
    a.delete_topics([t])
    until(15, "deleted", lambda: t not in a.list_topics())
    a.close()


def transactions():
    t = create("txn")
    p = KafkaProducer(bootstrap_servers=ADDR, transactional_id=t)
    p.init_transactions()
    for i, end in enumerate([p.commit_transaction, p.abort_transaction, p.commit_transaction]):
        p.begin_transaction()
        p.send(t, value(i), partition=0).get(10)
        end()
    p.close()
    c = consumer(t, isolation_level="read_committed")
    same([0, 2], [r.value["id"] for r in take(c, 2)], "read committed")
    same([], take(c, 1, 2), "no more")
    c.close()


TESTS = [create_topic, produce_json_with_key_and_iterate, auto_create_topic_by_producing, group_manual_commit_and_resume, group_auto_commit_on_close, two_consumers_rebalance, seek_and_offsets_for_times, compression, admin_describe_and_delete]
if VERSION >= (2, 1):
    TESTS.append(transactions)
run(f"kafka-python-{kafka.__version__}", TESTS)
