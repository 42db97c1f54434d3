"""A member of a group that tells all that happens to it, with kafka-python; ../migration_test.go says in which lines."""
import os, signal, time, traceback
from kafka import ConsumerRebalanceListener, KafkaConsumer, TopicPartition
from kafka.errors import KafkaError
from kafka.structs import OffsetAndMetadata

ADDR, TOPIC, GROUP = (os.environ[k] for k in ("BOOTSTRAP", "TOPIC", "GROUP"))
read, stopping = {}, False


def tell(*words):
    print(time.time_ns(), *words, flush=True)


def stop(*_):
    global stopping
    stopping = True


def commit():
    ends = {TopicPartition(TOPIC, p): OffsetAndMetadata(o, "", -1) for p, o in read.items()}
    if not ends:
        return
    try:
        c.commit(ends)
    except KafkaError as e:  # in the next round, or by whoever has the partition then
        print("not committed:", repr(e), flush=True)
        return
    for tp, o in ends.items():
        tell("committed", tp.partition, o.offset)
    read.clear()


class Listener(ConsumerRebalanceListener):
    def on_partitions_revoked(self, revoked):
        commit()
        read.clear()
        for tp in revoked:
            tell("revoked", tp.partition, -1)

    def on_partitions_assigned(self, assigned):
        for tp in assigned:
            tell("assigned", tp.partition, -1)


signal.signal(signal.SIGTERM, stop)
try:
    c = KafkaConsumer(bootstrap_servers=ADDR.split(","), group_id=GROUP, auto_offset_reset="earliest", enable_auto_commit=False, session_timeout_ms=10_000, heartbeat_interval_ms=500)
    c.subscribe([TOPIC], listener=Listener())
    while not stopping:
        for tp, records in c.poll(timeout_ms=100).items():
            for r in records:
                tell("read", r.partition, r.offset, r.value.decode())
                read[r.partition] = r.offset + 1
        commit()
    c.close()
    tell("closed")
except Exception as e:
    tell("failed", f"{type(e).__name__}: {e}".replace("\n", " "))
    traceback.print_exc()
    os._exit(3)
