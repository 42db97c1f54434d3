import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.ObjectSerializationCache;

// Reads lines "Name version hex;" and prints each again as Kafka's own class of that name reads and
// writes it: "Name version hex;", or "Name version reason".
public class Reencode {
    static final String[] CLASSES = {
        "org.apache.kafka.common.message.%sData",
        "org.apache.kafka.common.message.%s",
        "org.apache.kafka.common.metadata.%s",
        "org.apache.kafka.coordinator.group.generated.%s",
        "org.apache.kafka.coordinator.transaction.generated.%s",
        "org.apache.kafka.coordinator.share.generated.%s",
        "org.apache.kafka.server.log.remote.metadata.storage.generated.%s",
        "org.apache.kafka.raft.generated.%s",
    };

    public static void main(String[] args) throws Exception {
        var in = new BufferedReader(new InputStreamReader(System.in));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] words = line.split("[ ;]", -1);
            String result;
            try {
                result = reencode(words[0], Short.parseShort(words[1]), HexFormat.of().parseHex(words[2])) + ";";
            } catch (Exception e) {
                result = e.toString();
            }
            System.out.println(words[0] + " " + words[1] + " " + result);
        }
    }

    static String reencode(String name, short version, byte[] bytes) throws Exception {
        Message message = create(name);
        ByteBuffer input = ByteBuffer.wrap(bytes);
        message.read(new ByteBufferAccessor(input), version);
        if (input.hasRemaining()) {
            return input.remaining() + " bytes are left";
        }
        ObjectSerializationCache cache = new ObjectSerializationCache();
        ByteBuffer output = ByteBuffer.allocate(message.size(cache, version));
        message.write(new ByteBufferAccessor(output), cache, version);
        return HexFormat.of().formatHex(output.array());
    }

    static Message create(String name) throws Exception {
        for (String pattern : CLASSES) {
            try {
                return (Message) Class.forName(String.format(pattern, name)).getDeclaredConstructor().newInstance();
            } catch (ClassNotFoundException e) {
                // in another module
            }
        }
        throw new ClassNotFoundException(name);
    }
}
