import java.time.Instant;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.serialization.StringSerializer;

/** An idempotent producer that tells of every acknowledgement; ../../writers_test.go says in which lines. */
public class Writer {
    static final Map<String, String> ENV = System.getenv();
    static volatile boolean stopping;

    static void tell(Object what) {
        Instant now = Instant.now();
        System.out.println((now.getEpochSecond() * 1_000_000_000L + now.getNano()) + " " + what);
    }

    static void fail(Throwable e) {
        tell("failed " + String.valueOf(e).replace('\n', ' '));
        Runtime.getRuntime().halt(3);
    }

    public static void main(String[] args) {
        Thread main = Thread.currentThread();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            stopping = true;
            try {
                main.join(60_000);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }));
        String topic = ENV.get("TOPIC"), producer = ENV.get("PRODUCER");
        int partitions = Integer.parseInt(ENV.get("PARTITIONS")), rate = Integer.parseInt(ENV.get("RATE"));
        try (var p = new KafkaProducer<>(Map.<String, Object>of("bootstrap.servers", ENV.get("BOOTSTRAP"), "acks", "all", "enable.idempotence", true,
                "delivery.timeout.ms", 600_000, "request.timeout.ms", 10_000), new StringSerializer(), new StringSerializer())) {
            for (long n = 0; !stopping; n++) {
                int partition = (int) (n % partitions);
                String value = topic + " " + producer + " " + partition + " " + n / partitions;
                p.send(new ProducerRecord<>(topic, partition, producer, value), (m, e) -> {
                    if (e != null) fail(e);
                    else tell("acknowledged " + m.partition() + " " + m.offset() + " " + value);
                });
                LockSupport.parkNanos(1_000_000_000L / rate);
            }
        } catch (Throwable e) {
            fail(e);
        }
        tell("closed");
    }
}
