from confluent_kafka import KafkaException, Producer
import writer

p = Producer({"bootstrap.servers": writer.ADDR, "enable.idempotence": True, "acks": "all", "message.timeout.ms": 600_000, "socket.timeout.ms": 10_000, "log_level": 4})


def send(partition, key, value, done):
    p.produce(writer.TOPIC, value, key, partition, on_delivery=lambda e, m: done(m.offset(), e and KafkaException(e)))


def close():
    left = p.flush(60)
    assert left == 0, f"{left} records without an answer"


writer.run(send, lambda: p.poll(0), close)
