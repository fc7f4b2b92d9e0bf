// Leshan's own codec as a filter: a line in, a line out. See codec.py, which compares it with ours.
//   decode FORMAT PATH HEX           -> JSON [["/3303/0/5700", "FLOAT", "21.5"], ...]
//   pack FORMAT HEX                  -> JSON [["/3303/0/5700", "FLOAT", "21.5", "1790000000"], ...], the last null without a time
//   encode FORMAT PATH TYPE VALUE    -> HEX; an OPAQUE value in hex, a STRING in hex of its UTF-8
// What is refused gives "refused: " and Leshan's words. Run as a single source file: java -cp ... Codec.java MODELS

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import java.io.BufferedReader;
import java.io.File;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Date;
import java.util.HexFormat;
import java.util.List;
import org.eclipse.leshan.core.model.LwM2mModel;
import org.eclipse.leshan.core.model.ObjectLoader;
import org.eclipse.leshan.core.model.ObjectModel;
import org.eclipse.leshan.core.model.ResourceModel.Type;
import org.eclipse.leshan.core.model.StaticModel;
import org.eclipse.leshan.core.node.LwM2mNode;
import org.eclipse.leshan.core.node.LwM2mObject;
import org.eclipse.leshan.core.node.LwM2mObjectInstance;
import org.eclipse.leshan.core.node.LwM2mPath;
import org.eclipse.leshan.core.node.LwM2mResource;
import org.eclipse.leshan.core.node.LwM2mResourceInstance;
import org.eclipse.leshan.core.node.LwM2mSingleResource;
import org.eclipse.leshan.core.node.ObjectLink;
import org.eclipse.leshan.core.node.TimestampedLwM2mNodes;
import org.eclipse.leshan.core.node.codec.DefaultLwM2mDecoder;
import org.eclipse.leshan.core.node.codec.DefaultLwM2mEncoder;
import org.eclipse.leshan.core.request.ContentFormat;

public class Codec {

    private static final ObjectMapper JSON = new ObjectMapper();

    public static void main(String[] args) throws Exception {
        List<ObjectModel> models = new ArrayList<>(ObjectLoader.loadAllDefault());
        models.addAll(ObjectLoader.loadObjectsFromDir(new File(args[0])));
        LwM2mModel model = new StaticModel(models);
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            try {
                System.out.println(answer(line.split(" ", -1), model));
            } catch (Exception error) {
                Throwable deepest = error;
                while (deepest.getCause() != null) {
                    deepest = deepest.getCause();
                }
                System.out.println("refused: " + String.valueOf(deepest.getMessage()).replace('\n', ' '));
            }
        }
    }

    private static String answer(String[] words, LwM2mModel model) throws Exception {
        ContentFormat format = ContentFormat.fromName(words[1]);
        ArrayNode found = JSON.createArrayNode();
        if (words[0].equals("encode")) {
            LwM2mPath path = new LwM2mPath(words[2]);
            Type type = Type.valueOf(words[3]);
            LwM2mNode node = LwM2mSingleResource.newResource(path.getResourceId(), value(type, words[4]), type);
            return HexFormat.of().formatHex(new DefaultLwM2mEncoder().encode(node, format, null, path, model));
        }
        DefaultLwM2mDecoder decoder = new DefaultLwM2mDecoder();
        if (words[0].equals("pack")) {
            byte[] data = HexFormat.of().parseHex(words[2]);
            TimestampedLwM2mNodes nodes = decoder.decodeTimestampedNodes(data, format, null, null, model);
            nodes.getTimestamps().forEach(time -> nodes.getNodesAt(time).forEach((path, node) -> show(found, path, node,
                    time == null ? null : String.valueOf(time.getEpochSecond()))));
            return found.toString();
        }
        LwM2mPath path = new LwM2mPath(words[2]);
        show(found, path, decoder.decode(HexFormat.of().parseHex(words[3]), format, null, path, model), "");
        return found.toString();
    }

    private static Object value(Type type, String text) {
        return switch (type) {
            case INTEGER -> Long.valueOf(text);
            case FLOAT -> Double.valueOf(text);
            case BOOLEAN -> text.equals("1");
            case TIME -> new Date(Long.parseLong(text) * 1000);
            case OBJLNK -> ObjectLink.decodeFromString(text);
            case OPAQUE -> HexFormat.of().parseHex(text);
            default -> new String(HexFormat.of().parseHex(text), StandardCharsets.UTF_8);
        };
    }

    private static void show(ArrayNode found, LwM2mPath path, LwM2mNode node, String time) {
        if (node instanceof LwM2mObject) {
            ((LwM2mObject) node).getInstances().forEach((id, each) -> show(found, path.append(id), each, time));
        } else if (node instanceof LwM2mObjectInstance) {
            ((LwM2mObjectInstance) node).getResources().forEach((id, each) -> show(found, path.append(id), each, time));
        } else if (node instanceof LwM2mResource && ((LwM2mResource) node).isMultiInstances()) {
            ((LwM2mResource) node).getInstances().forEach((id, each) -> show(found, path.append(id), each, time));
        } else if (node instanceof LwM2mResourceInstance) {
            add(found, path, ((LwM2mResourceInstance) node).getType(), ((LwM2mResourceInstance) node).getValue(), time);
        } else {
            add(found, path, ((LwM2mResource) node).getType(), ((LwM2mResource) node).getValue(), time);
        }
    }

    private static void add(ArrayNode found, LwM2mPath path, Type type, Object value, String time) {
        ArrayNode each = found.addArray().add(path.toString()).add(type.name());
        switch (type) {
            case OPAQUE -> each.add(HexFormat.of().formatHex((byte[]) value));
            case TIME -> each.add(String.valueOf(((Date) value).getTime() / 1000));
            case OBJLNK -> each.add(((ObjectLink) value).encodeToString());
            case BOOLEAN -> each.add((Boolean) value ? "1" : "0");
            default -> each.add(String.valueOf(value));
        }
        if (time == null || !time.isEmpty()) {
            each.add(time);
        }
    }
}
