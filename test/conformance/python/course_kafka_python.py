"""The course with kafka-python 2.0.2, 2.3.x and 3.x."""
import json
import kafka, kafka.errors
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, NewPartitions, NewTopic
from kafka.structs import OffsetAndMetadata
import course

VERSION = tuple(int(x) for x in kafka.__version__.split(".")[:2])

# kafka-python 3.0.12 forgets its assignment when the answer to SyncGroup comes just after the time of a poll is up, and its
# session runs out (on real Kafka as well): long polls make that rare.
POLL_MS = 200 if VERSION < (3, 0) else 3000


def offset_and_metadata(o):
    return OffsetAndMetadata(o, "") if VERSION < (2, 1) else OffsetAndMetadata(o, "", -1)


class Reader:
    def __init__(self, topic, group, reset):
        self.topic = topic
        self.consumer = KafkaConsumer(
            topic, bootstrap_servers=course.ADDR, group_id=group, auto_offset_reset=reset, enable_auto_commit=False,
            value_deserializer=json.loads, key_deserializer=bytes.decode, session_timeout_ms=10000, heartbeat_interval_ms=500,
            max_partition_fetch_bytes=4_000_000)

    def poll(self):
        return [(r.partition, r.offset, r.key, r.value) for rs in self.consumer.poll(timeout_ms=POLL_MS, max_records=25).values() for r in rs]

    def commit(self, offsets):
        self.consumer.commit({TopicPartition(self.topic, p): offset_and_metadata(o) for p, o in offsets.items()})

    def assignment(self):
        return [tp.partition for tp in self.consumer.assignment()]

    def close(self):
        self.consumer.close()


class KafkaPython(course.Client):
    def __init__(self):
        self.admin = KafkaAdminClient(bootstrap_servers=course.ADDR)

    def create(self, topic, partitions):
        self.admin.create_topics([NewTopic(topic, num_partitions=partitions, replication_factor=course.REPLICATION)])

    def partitions(self, topic):
        return len(self.admin.describe_topics([topic])[0]["partitions"])

    def grow(self, topic, total):
        self.admin.create_partitions({topic: NewPartitions(total)})

    def configure(self, topic, name, value):
        self.admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, configs={name: value})])

    def producer(self, **kw):
        return KafkaProducer(bootstrap_servers=course.ADDR, acks="all", value_serializer=lambda v: json.dumps(v).encode(), key_serializer=str.encode, **kw)

    def send(self, topic, orders, partitions=None):
        p = self.producer()
        sent = [p.send(topic, key=o["customer"], value=o, partition=part) for o, part in zip(orders, partitions or [None] * len(orders))]
        p.flush(30)
        places = [(m.partition, m.offset) for m in (f.get(10) for f in sent)]
        p.close()
        return places

    def send_large(self, topic, size):
        p = self.producer(max_request_size=10_000_000)
        try:
            m = p.send(topic, key="large", value={"id": -1, "body": "x" * size}).get(20)
            return m.partition, m.offset
        except kafka.errors.MessageSizeTooLargeError:
            return "MESSAGE_TOO_LARGE"
        finally:
            p.close()

    def reader(self, topic, group, reset="earliest"):
        return Reader(topic, group, reset)

    def committed(self, topic, group, partitions):
        c = KafkaConsumer(bootstrap_servers=course.ADDR, group_id=group)
        found = {p: c.committed(TopicPartition(topic, p)) for p in partitions}
        c.close()
        return {p: o for p, o in found.items() if o is not None}


course.run(KafkaPython())
