from kafka import KafkaProducer
import writer

p = KafkaProducer(bootstrap_servers=writer.ADDR.split(","), enable_idempotence=True, acks="all", delivery_timeout_ms=600_000, request_timeout_ms=10_000)


def send(partition, key, value, done):
    p.send(writer.TOPIC, value, key, partition=partition).add_callback(lambda m: done(m.offset, None)).add_errback(lambda e: done(-1, e))


def close():
    p.flush(60)
    p.close(60)


writer.run(send, lambda: None, close)
