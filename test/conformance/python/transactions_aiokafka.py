"""Transactions with aiokafka: its event loop runs in a thread of its own."""
import asyncio, threading
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import InvalidProducerEpoch, ProducerFenced
import transactions

LOOP = asyncio.new_event_loop()
threading.Thread(target=LOOP.run_forever, daemon=True).start()


def wait(coroutine, seconds=60):
    return asyncio.run_coroutine_threadsafe(coroutine, LOOP).result(seconds)


async def started(make):
    c = make()
    await c.start()
    return c


class Sender:
    def __init__(self, transactional_id):
        self.p = wait(started(lambda: AIOKafkaProducer(bootstrap_servers=transactions.ADDR, transactional_id=transactional_id)))

    def begin(self):
        wait(self.p.begin_transaction())

    def commit(self):
        try:
            wait(self.p.commit_transaction())
        except AssertionError:  # all that it says of a transaction that the broker has refused before: why is in the transaction's future
            self.p._txn_manager._transaction_waiter.result()
            raise

    def abort(self):
        wait(self.p.abort_transaction())

    def flush(self):
        wait(self.p.flush())

    def send(self, partition, value):
        wait(self.p.send(transactions.OUT, value.encode(), partition=partition))

    def offsets(self, reader, nexts):
        wait(self.p.send_offsets_to_transaction({TopicPartition(reader.topic, p): o for p, o in nexts.items()}, reader.group))


class Reader:
    def __init__(self, topic, group):
        self.topic, self.group = topic, group
        self.c = wait(started(lambda: AIOKafkaConsumer(topic, bootstrap_servers=transactions.ADDR, group_id=group, auto_offset_reset="earliest",
                                                       enable_auto_commit=False, isolation_level="read_committed")))

    def poll(self):
        return [(r.partition, r.offset, r.value.decode()) for rs in wait(self.c.getmany(timeout_ms=500, max_records=10)).values() for r in rs]

    def seek(self, offsets):
        for p, o in offsets.items():
            self.c.seek(TopicPartition(self.topic, p), o)

    def close(self):
        wait(self.c.stop())


class AIOKafka(transactions.Client):
    def producer(self, transactional_id):
        return Sender(transactional_id)

    def reader(self, topic, group):
        return Reader(topic, group)

    def fenced(self, error):
        return isinstance(error, (ProducerFenced, InvalidProducerEpoch))


transactions.run(AIOKafka())
