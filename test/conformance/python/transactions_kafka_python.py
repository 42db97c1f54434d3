"""Transactions with kafka-python 3."""
import kafka.errors
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.structs import OffsetAndMetadata
import transactions


class Sender:
    def __init__(self, transactional_id):
        self.p = KafkaProducer(bootstrap_servers=transactions.ADDR, transactional_id=transactional_id, value_serializer=str.encode)
        self.p.init_transactions()
        self.begin, self.commit, self.abort, self.flush = self.p.begin_transaction, self.p.commit_transaction, self.p.abort_transaction, lambda: self.p.flush(40)

    def send(self, partition, value):
        self.p.send(transactions.OUT, value, partition=partition)

    def offsets(self, reader, nexts):
        self.p.send_offsets_to_transaction({TopicPartition(reader.topic, p): OffsetAndMetadata(o, "", -1) for p, o in nexts.items()}, reader.group)


class Reader:
    def __init__(self, topic, group):
        self.topic, self.group = topic, group
        self.c = KafkaConsumer(topic, bootstrap_servers=transactions.ADDR, group_id=group, auto_offset_reset="earliest", enable_auto_commit=False,
                               isolation_level="read_committed", value_deserializer=bytes.decode)
        self.close = self.c.close

    def poll(self):
        return [(r.partition, r.offset, r.value) for rs in self.c.poll(timeout_ms=3000, max_records=10).values() for r in rs]

    def seek(self, offsets):
        for p, o in offsets.items():
            self.c.seek(TopicPartition(self.topic, p), o)


class KafkaPython(transactions.Client):
    def producer(self, transactional_id):
        return Sender(transactional_id)

    def reader(self, topic, group):
        return Reader(topic, group)

    def fenced(self, error):
        while error:
            if isinstance(error, (getattr(kafka.errors, "ProducerFencedError", ()), getattr(kafka.errors, "InvalidProducerEpochError", ()))):
                return True
            error = error.__cause__ or (error.args[0] if error.args and isinstance(error.args[0], Exception) else None)
        return False


transactions.run(KafkaPython())
