"""An idempotent producer that tells of every acknowledgement; ../writers_test.go says in which lines. A client's module gives what run() takes."""
import os, signal, time, traceback

ADDR, TOPIC, PRODUCER = (os.environ[k] for k in ("BOOTSTRAP", "TOPIC", "PRODUCER"))
PARTITIONS, RATE = (int(os.environ[k]) for k in ("PARTITIONS", "RATE"))
stopping = False


def tell(*words):
    print(time.time_ns(), *words, flush=True)


def fail(e):
    tell("failed", f"{type(e).__name__}: {e}".replace("\n", " "))
    os._exit(3)


def stop(*_):
    global stopping
    stopping = True


def run(send, poll, close):
    """send(partition, key, value, done) calls done(offset, error) later; poll() gives the client time to; close() waits for all."""
    signal.signal(signal.SIGTERM, stop)
    try:
        n = 0
        while not stopping:
            partition, number = n % PARTITIONS, n // PARTITIONS
            value = f"{TOPIC} {PRODUCER} {partition} {number}"

            def done(offset, error, partition=partition, value=value):
                fail(error) if error else tell("acknowledged", partition, offset, value)
            send(partition, PRODUCER.encode(), value.encode(), done)
            n += 1
            poll()
            time.sleep(1 / RATE)
        close()
        tell("closed")
    except Exception as e:
        traceback.print_exc()
        fail(e)
