"""The course with aiokafka: its event loop runs in a thread of its own, the course calls into it."""
import asyncio, json, threading
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import MessageSizeTooLargeError
from aiokafka.structs import OffsetAndMetadata
import course

LOOP = asyncio.new_event_loop()
threading.Thread(target=LOOP.run_forever, daemon=True).start()


def wait(coroutine, seconds=60):
    return asyncio.run_coroutine_threadsafe(coroutine, LOOP).result(seconds)


async def started(make):
    c = make()
    await c.start()
    return c


class Reader:
    def __init__(self, topic, group, reset):
        self.topic = topic
        self.consumer = wait(started(lambda: AIOKafkaConsumer(
            topic, bootstrap_servers=course.ADDR, group_id=group, auto_offset_reset=reset, enable_auto_commit=False,
            value_deserializer=json.loads, key_deserializer=bytes.decode, session_timeout_ms=10000, heartbeat_interval_ms=500,
            max_partition_fetch_bytes=4_000_000)))

    def poll(self):
        return [(r.partition, r.offset, r.key, r.value) for rs in wait(self.consumer.getmany(timeout_ms=200, max_records=25)).values() for r in rs]

    def commit(self, offsets):
        wait(self.consumer.commit({TopicPartition(self.topic, p): OffsetAndMetadata(o, "") for p, o in offsets.items()}))

    def assignment(self):
        return [tp.partition for tp in self.consumer.assignment()]

    def close(self):
        wait(self.consumer.stop())


class AIOKafka(course.Client):
    def __init__(self):
        self.admin = wait(started(lambda: AIOKafkaAdminClient(bootstrap_servers=course.ADDR)))

    def create(self, topic, partitions):
        answer = wait(self.admin.create_topics([NewTopic(topic, partitions, course.REPLICATION)]))
        course.same([0], [e[1] for e in answer.topic_errors], "error codes")

    def partitions(self, topic):
        return len(wait(self.admin.describe_topics([topic]))[0]["partitions"])

    def grow(self, topic, total):
        wait(self.admin.create_partitions({topic: NewPartitions(total)}))

    def configure(self, topic, name, value):
        wait(self.admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, configs={name: value})]))

    async def produce(self, topic, messages, **kw):
        kw = {"acks": "all", "value_serializer": lambda v: json.dumps(v).encode(), "key_serializer": str.encode, **kw}
        async with AIOKafkaProducer(bootstrap_servers=course.ADDR, **kw) as p:
            sent = [await p.send(topic, key=k, value=v, partition=part) for k, v, part in messages]
            return [(m.partition, m.offset) for m in [await f for f in sent]]

    def send(self, topic, orders, partitions=None):
        return wait(self.produce(topic, [(o["customer"], o, p) for o, p in zip(orders, partitions or [None] * len(orders))]))

    def send_large(self, topic, size):
        try:
            return wait(self.produce(topic, [("large", {"id": -1, "body": "x" * size}, None)], max_request_size=10_000_000))[0]
        except MessageSizeTooLargeError:
            return "MESSAGE_TOO_LARGE"

    def reader(self, topic, group, reset="earliest"):
        return Reader(topic, group, reset)

    def committed(self, topic, group, partitions):
        found = wait(self.admin.list_consumer_group_offsets(group, partitions=[TopicPartition(topic, p) for p in partitions]))
        return {tp.partition: o.offset for tp, o in found.items() if o.offset >= 0}


course.run(AIOKafka())
