"""A member of a group that tells all that happens to it, with librdkafka; ../migration_test.go says in which lines."""
import os, signal, sys, time, traceback
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

ADDR, TOPIC, GROUP, PROTOCOL, STRATEGY = (os.environ[k] for k in ("BOOTSTRAP", "TOPIC", "GROUP", "GROUP_PROTOCOL", "STRATEGY"))
PASSING = (KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN)
# In the next round, or by whoever has the partition then.
NOT_NOW = (KafkaError.REBALANCE_IN_PROGRESS, KafkaError.ILLEGAL_GENERATION, KafkaError.UNKNOWN_MEMBER_ID, KafkaError.STALE_MEMBER_EPOCH, KafkaError.REQUEST_TIMED_OUT,
           KafkaError.NOT_COORDINATOR, KafkaError.COORDINATOR_LOAD_IN_PROGRESS, KafkaError.COORDINATOR_NOT_AVAILABLE, KafkaError._TIMED_OUT, KafkaError._WAIT_COORD,
           KafkaError._DESTROY, KafkaError._ASSIGNMENT_LOST, *PASSING)
read, stopping = {}, False


def tell(*words):
    print(time.time_ns(), *words, flush=True)


def stop(*_):
    global stopping
    stopping = True


def commit(consumer, partitions):
    ends = {p: read[p] for p in partitions if p in read}
    if not ends:
        return
    try:
        for tp in consumer.commit(offsets=[TopicPartition(TOPIC, p, o) for p, o in ends.items()], asynchronous=False):
            if tp.error:
                raise KafkaException(tp.error)
    except KafkaException as e:
        if e.args[0].code() not in NOT_NOW:
            raise
        print("not committed:", e, file=sys.stderr, flush=True)
        return
    for p, o in ends.items():
        tell("committed", p, o)
        del read[p]


def of(consumer, what, partitions):
    for tp in partitions:
        read.pop(tp.partition, None)
        tell(what, tp.partition, -1)  # librdkafka does not tell the epoch


def revoked(consumer, partitions):
    commit(consumer, [tp.partition for tp in partitions])
    of(consumer, "revoked", partitions)


signal.signal(signal.SIGTERM, stop)
signal.signal(signal.SIGINT, stop)
config = {"bootstrap.servers": ADDR, "log_level": 4, "group.id": GROUP, "group.protocol": PROTOCOL, "auto.offset.reset": "earliest", "enable.auto.commit": False, "fetch.wait.max.ms": 100}
if PROTOCOL == "classic":
    config |= {"session.timeout.ms": int(os.environ.get("SESSION", "10000")), "heartbeat.interval.ms": 500, "partition.assignment.strategy": STRATEGY}
try:
    c = Consumer(config)
    c.subscribe([TOPIC], on_assign=lambda c, ps: of(c, "assigned", ps), on_revoke=revoked, on_lost=lambda c, ps: of(c, "lost", ps))
    while not stopping:
        for m in c.consume(100, 0.1):
            if m.error() is None:
                tell("read", m.partition(), m.offset(), m.value().decode())
                read[m.partition()] = m.offset() + 1
            elif m.error().code() not in PASSING:
                raise KafkaException(m.error())
        commit(c, [tp.partition for tp in c.assignment()])
    c.close()
    tell("closed")
except BaseException as e:
    tell("failed", f"{type(e).__name__}: {e}".replace("\n", " "))
    traceback.print_exc()
    os._exit(3)
