"""Transactions with confluent-kafka (librdkafka)."""
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
import transactions


class Sender:
    def __init__(self, transactional_id):
        self.p = Producer({"bootstrap.servers": transactions.ADDR, "transactional.id": transactional_id, "log_level": 2})
        self.p.init_transactions(40)
        self.begin, self.flush = self.p.begin_transaction, lambda: self.p.flush(40)

    def send(self, partition, value):
        self.p.produce(transactions.OUT, value, partition=partition)

    def offsets(self, reader, nexts):
        self.p.send_offsets_to_transaction([TopicPartition(reader.topic, p, o) for p, o in nexts.items()], reader.c.consumer_group_metadata(), 40)

    def retried(self, end):
        """librdkafka leaves it to the program to ask again after an error that may pass."""
        while True:
            try:
                return end(40)
            except KafkaException as e:
                if not e.args[0].retriable():
                    raise

    def commit(self):
        self.retried(self.p.commit_transaction)

    def abort(self):
        self.retried(self.p.abort_transaction)


class Reader:
    def __init__(self, topic, group):
        self.topic = topic
        self.c = Consumer({"bootstrap.servers": transactions.ADDR, "group.id": group, "auto.offset.reset": "earliest", "enable.auto.commit": False, "isolation.level": "read_committed", "log_level": 2})
        self.c.subscribe([topic])
        self.close = self.c.close

    def poll(self):
        return [(m.partition(), m.offset(), m.value().decode()) for m in self.c.consume(10, 0.5) if not m.error()]

    def seek(self, offsets):
        for p, o in offsets.items():
            self.c.seek(TopicPartition(self.topic, p, o))


class Confluent(transactions.Client):
    def producer(self, transactional_id):
        return Sender(transactional_id)

    def reader(self, topic, group):
        return Reader(topic, group)

    def fenced(self, error):
        return isinstance(error, KafkaException) and error.args[0].code() in (KafkaError._FENCED, KafkaError.PRODUCER_FENCED, KafkaError.INVALID_PRODUCER_EPOCH)


transactions.run(Confluent())
