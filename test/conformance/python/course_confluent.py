"""The course with confluent-kafka (librdkafka)."""
import json
from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewPartitions, NewTopic
import course

SERVERS = {"bootstrap.servers": course.ADDR, "topic.metadata.propagation.max.ms": 10000}


class Reader:
    def __init__(self, topic, group, reset):
        self.topic = topic
        self.consumer = Consumer({**SERVERS, "group.id": group, "auto.offset.reset": reset, "enable.auto.commit": False, "session.timeout.ms": 10000, "heartbeat.interval.ms": 500, "max.partition.fetch.bytes": 4_000_000})
        self.consumer.subscribe([topic])

    def poll(self):
        got = []
        for m in self.consumer.consume(25, 0.2):
            if m.error():
                raise RuntimeError(m.error())
            got.append((m.partition(), m.offset(), m.key().decode(), json.loads(m.value())))
        return got

    def commit(self, offsets):
        for tp in self.consumer.commit(offsets=[TopicPartition(self.topic, p, o) for p, o in offsets.items()], asynchronous=False):
            assert tp.error is None, tp.error

    def assignment(self):
        return [tp.partition for tp in self.consumer.assignment()]

    def close(self):
        self.consumer.close()


class Confluent(course.Client):
    def __init__(self):
        self.admin = AdminClient(SERVERS)

    def create(self, topic, partitions):
        self.admin.create_topics([NewTopic(topic, partitions, course.REPLICATION)])[topic].result(20)

    def partitions(self, topic):
        return len(self.admin.list_topics(topic, 10).topics[topic].partitions)

    def grow(self, topic, total):
        self.admin.create_partitions([NewPartitions(topic, total)])[topic].result(20)

    def configure(self, topic, name, value):
        entry = ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
        r = ConfigResource(ConfigResource.Type.TOPIC, topic, incremental_configs=[entry])
        self.admin.incremental_alter_configs([r])[r].result(20)

    def produce(self, topic, messages, **kw):
        p, reports = Producer({**SERVERS, "enable.idempotence": True, **kw}), {}
        for i, (key, value, partition) in enumerate(messages):
            where = {} if partition is None else {"partition": partition}
            p.produce(topic, value, key=key, on_delivery=lambda e, m, i=i: reports.__setitem__(i, (e, m)), **where)
        course.same(0, p.flush(30), "left in the queue")
        return [reports[i] for i in range(len(messages))]

    def send(self, topic, orders, partitions=None):
        messages = [(o["customer"], json.dumps(o), p) for o, p in zip(orders, partitions or [None] * len(orders))]
        reports = self.produce(topic, messages)
        for e, _ in reports:
            assert e is None, e
        return [(m.partition(), m.offset()) for _, m in reports]

    def send_large(self, topic, size):
        value = json.dumps({"id": -1, "body": "x" * size})
        [(e, m)] = self.produce(topic, [("large", value, None)], **{"message.max.bytes": 10_000_000})
        if e is None:
            return m.partition(), m.offset()
        return "MESSAGE_TOO_LARGE" if e.code() == KafkaError.MSG_SIZE_TOO_LARGE else str(e)

    def reader(self, topic, group, reset="earliest"):
        return Reader(topic, group, reset)

    def committed(self, topic, group, partitions):
        c = Consumer({**SERVERS, "group.id": group})
        found = c.committed([TopicPartition(topic, p) for p in partitions], 20)
        c.close()
        return {tp.partition: tp.offset for tp in found if tp.offset >= 0}


course.run(Confluent())
