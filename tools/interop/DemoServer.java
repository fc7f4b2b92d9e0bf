// What the bench asks of Leshan's demo server, on the newest server library, for repositories that hold the library alone.
// Run as a single source file: java -cp ... DemoServer.java HOST PORT SECURE_PORT WEB_PORT MODELS
// Paths and documents of the REST interface are those of the demo server; MODELS is a folder of object definitions.

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.eclipse.leshan.core.endpoint.Protocol;
import org.eclipse.leshan.core.link.Link;
import org.eclipse.leshan.core.link.attributes.Attribute;
import org.eclipse.leshan.core.link.lwm2m.attributes.DefaultLwM2mAttributeParser;
import org.eclipse.leshan.core.link.lwm2m.attributes.LwM2mAttributeSet;
import org.eclipse.leshan.core.model.ObjectLoader;
import org.eclipse.leshan.core.model.ObjectModel;
import org.eclipse.leshan.core.node.LwM2mChildNode;
import org.eclipse.leshan.core.node.LwM2mNode;
import org.eclipse.leshan.core.node.LwM2mObject;
import org.eclipse.leshan.core.node.LwM2mObjectInstance;
import org.eclipse.leshan.core.node.LwM2mPath;
import org.eclipse.leshan.core.node.LwM2mResource;
import org.eclipse.leshan.core.node.LwM2mResourceInstance;
import org.eclipse.leshan.core.node.LwM2mSingleResource;
import org.eclipse.leshan.core.observation.CompositeObservation;
import org.eclipse.leshan.core.observation.Observation;
import org.eclipse.leshan.core.observation.SingleObservation;
import org.eclipse.leshan.core.request.BindingMode;
import org.eclipse.leshan.core.request.ContentFormat;
import org.eclipse.leshan.core.request.CreateRequest;
import org.eclipse.leshan.core.request.DeleteRequest;
import org.eclipse.leshan.core.request.DiscoverRequest;
import org.eclipse.leshan.core.request.DownlinkDeviceManagementRequest;
import org.eclipse.leshan.core.request.ExecuteRequest;
import org.eclipse.leshan.core.request.ObserveRequest;
import org.eclipse.leshan.core.request.ReadRequest;
import org.eclipse.leshan.core.request.WriteAttributesRequest;
import org.eclipse.leshan.core.request.WriteRequest;
import org.eclipse.leshan.core.response.DiscoverResponse;
import org.eclipse.leshan.core.response.LwM2mResponse;
import org.eclipse.leshan.core.response.ObserveCompositeResponse;
import org.eclipse.leshan.core.response.ObserveResponse;
import org.eclipse.leshan.core.response.ReadResponse;
import org.eclipse.leshan.server.LeshanServer;
import org.eclipse.leshan.server.LeshanServerBuilder;
import org.eclipse.leshan.server.model.VersionedModelProvider;
import org.eclipse.leshan.server.observation.ObservationListener;
import org.eclipse.leshan.server.queue.PresenceListener;
import org.eclipse.leshan.server.registration.Registration;
import org.eclipse.leshan.server.registration.RegistrationListener;
import org.eclipse.leshan.server.registration.RegistrationUpdate;
import org.eclipse.leshan.servers.security.FileSecurityStore;
import org.eclipse.leshan.servers.security.SecurityInfo;
import org.eclipse.leshan.transport.californium.server.endpoint.CaliforniumServerEndpointsProvider;
import org.eclipse.leshan.transport.californium.server.endpoint.coap.CoapServerProtocolProvider;
import org.eclipse.leshan.transport.californium.server.endpoint.coaps.CoapsServerProtocolProvider;

public class DemoServer {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final List<OutputStream> FOLLOWERS = new CopyOnWriteArrayList<>();
    private static final FileSecurityStore KEYS = new FileSecurityStore("security.data"); // of the folder that it runs in
    private static final Map<String, Delayed> QUEUE = new ConcurrentHashMap<>(); // the last request for each that sleeps
    private static final ExecutorService SENDERS = Executors.newCachedThreadPool();
    private static LeshanServer leshan;

    public static void main(String[] args) throws Exception {
        String host = args[0];
        List<ObjectModel> models = new ArrayList<>(ObjectLoader.loadAllDefault());
        models.addAll(ObjectLoader.loadObjectsFromDir(new File(args[4])));
        CaliforniumServerEndpointsProvider.Builder endpoints = new CaliforniumServerEndpointsProvider.Builder(
                new CoapServerProtocolProvider(), new CoapsServerProtocolProvider());
        endpoints.addEndpoint(new InetSocketAddress(host, Integer.parseInt(args[1])), Protocol.COAP);
        endpoints.addEndpoint(new InetSocketAddress(host, Integer.parseInt(args[2])), Protocol.COAPS);
        leshan = new LeshanServerBuilder().setEndpointsProviders(endpoints.build()).setSecurityStore(KEYS)
                .setObjectModelProvider(new VersionedModelProvider(models)).build();
        Events events = new Events();
        leshan.getRegistrationService().addListener(events);
        leshan.getObservationService().addListener(events);
        leshan.getPresenceService().addListener(events);
        leshan.start();
        HttpServer web = HttpServer.create(new InetSocketAddress(host, Integer.parseInt(args[3])), 0);
        web.setExecutor(Executors.newCachedThreadPool());
        web.createContext("/api/event", DemoServer::follow);
        web.createContext("/api/clients", DemoServer::clients);
        web.createContext("/api/security/clients", DemoServer::keys);
        web.start();
    }

    // ---- queue mode: a request for a client that sleeps is sent when it wakes

    private record Delayed(String id, DownlinkDeviceManagementRequest<?> request, long timeout) {
    }

    private static void wake(Registration client) {
        Delayed delayed = QUEUE.remove(client.getEndpoint());
        if (delayed != null) {
            SENDERS.execute(() -> deliver(client, delayed));
        }
    }

    private static void deliver(Registration client, Delayed delayed) {
        ObjectNode document = JSON.createObjectNode().put("ep", client.getEndpoint()).put("requestId", delayed.id());
        try {
            LwM2mResponse response = leshan.send(client, delayed.request(), delayed.timeout());
            document.put("status", response == null ? "TIMEOUT" : response.getCode().toString());
        } catch (Exception error) {
            document.put("status", String.valueOf(error.getMessage()));
        }
        tell("REQUEST_RESPONSE", document);
    }

    // ---- the REST interface

    private static void clients(HttpExchange exchange) throws IOException {
        try {
            String[] parts = exchange.getRequestURI().getPath().split("/", 5); // "", api, clients, EP, path
            if (parts.length < 4) {
                ArrayNode all = JSON.createArrayNode();
                leshan.getRegistrationService().getAllRegistrations().forEachRemaining(each -> all.add(shown(each)));
                answer(exchange, 200, all.toString());
                return;
            }
            Registration client = leshan.getRegistrationService().getByEndpoint(parts[3]);
            if (client == null) {
                answer(exchange, parts.length < 5 ? 404 : 400, "no registered client with id '" + parts[3] + "'");
            } else if (parts.length < 5) {
                answer(exchange, 200, shown(client).toString());
            } else {
                ask(exchange, client, "/" + parts[4]);
            }
        } catch (Exception error) {
            answer(exchange, 400, String.valueOf(error.getMessage()));
        }
    }

    private static void ask(HttpExchange exchange, Registration client, String path) throws Exception {
        Map<String, String> query = query(exchange);
        long timeout = Long.parseLong(query.getOrDefault("timeout", "5")) * 1000;
        query.remove("timeout");
        String name = query.remove("format");
        ContentFormat format = name == null ? null : ContentFormat.fromName(name);
        if (name != null && format == null) {
            throw new IllegalArgumentException("no content format " + name);
        }
        WriteRequest.Mode mode = "false".equals(query.remove("replace")) ? WriteRequest.Mode.UPDATE : WriteRequest.Mode.REPLACE;
        String method = exchange.getRequestMethod();
        byte[] body = exchange.getRequestBody().readAllBytes();
        if (method.equals("DELETE") && path.endsWith("/observe")) {
            leshan.getObservationService().cancelObservations(client, cut(path, "/observe"));
            answer(exchange, 200, "{}");
            return;
        }
        DownlinkDeviceManagementRequest<?> request = request(method, path, query, body, format, mode);
        if (client.usesQueueMode() && !leshan.getPresenceService().isClientAwake(client)) {
            Delayed delayed = new Delayed(UUID.randomUUID().toString(), request, timeout);
            QUEUE.put(client.getEndpoint(), delayed);
            ObjectNode document = JSON.createObjectNode().put("requestId", delayed.id()).put("delayed", true);
            answer(exchange, 200, document.toString());
            return;
        }
        LwM2mResponse response = leshan.send(client, request, timeout);
        if (response == null) {
            answer(exchange, 504, "Request timeout");
        } else {
            answer(exchange, 200, shown(response).toString());
        }
    }

    private static DownlinkDeviceManagementRequest<?> request(String method, String path, Map<String, String> query,
            byte[] body, ContentFormat format, WriteRequest.Mode mode) throws Exception {
        if (method.equals("GET")) {
            return path.endsWith("/discover") ? new DiscoverRequest(cut(path, "/discover")) : new ReadRequest(format, path);
        }
        if (method.equals("DELETE")) {
            return new DeleteRequest(path);
        }
        if (path.endsWith("/observe")) {
            return new ObserveRequest(format, cut(path, "/observe"));
        }
        if (path.endsWith("/attributes")) {
            List<String> pairs = new ArrayList<>();
            query.forEach((name, value) -> pairs.add(name + "=" + value));
            return new WriteAttributesRequest(cut(path, "/attributes"),
                    new LwM2mAttributeSet(new DefaultLwM2mAttributeParser().parseQueryParams(pairs)));
        }
        LwM2mPath place = new LwM2mPath(path);
        if (method.equals("POST") && place.isResource()) {
            return new ExecuteRequest(path, body.length == 0 ? null : new String(body, StandardCharsets.UTF_8));
        }
        JsonNode document = JSON.readTree(body);
        if (place.isResource()) { // a resource is always replaced
            return new WriteRequest(WriteRequest.Mode.REPLACE, format, path, resource(document));
        }
        List<LwM2mResource> resources = new ArrayList<>();
        document.get("resources").forEach(each -> resources.add(resource(each)));
        LwM2mObjectInstance instance = new LwM2mObjectInstance(document.get("id").asInt(), resources);
        return method.equals("POST") ? new CreateRequest(format, path, instance) : new WriteRequest(mode, format, path, instance);
    }

    private static LwM2mSingleResource resource(JsonNode document) {
        int id = document.get("id").asInt();
        String value = document.get("value").asText();
        return switch (document.get("type").asText()) {
            case "boolean" -> LwM2mSingleResource.newBooleanResource(id, Boolean.parseBoolean(value));
            case "integer" -> LwM2mSingleResource.newIntegerResource(id, Long.parseLong(value));
            case "float" -> LwM2mSingleResource.newFloatResource(id, Double.parseDouble(value));
            case "opaque" -> LwM2mSingleResource.newBinaryResource(id, HexFormat.of().parseHex(value));
            default -> LwM2mSingleResource.newStringResource(id, value);
        };
    }

    /** Security info as the demo server has it: GET all or one, PUT one, DELETE one, which ends its registration, too. */
    private static void keys(HttpExchange exchange) throws IOException {
        try {
            String[] parts = exchange.getRequestURI().getPath().split("/", 5); // "", api, security, clients, EP
            String endpoint = parts.length > 4 && !parts[4].isEmpty() ? parts[4] : null;
            if (exchange.getRequestMethod().equals("GET")) {
                ArrayNode all = JSON.createArrayNode();
                KEYS.getAll().stream().filter(each -> endpoint == null || endpoint.equals(each.getEndpoint()))
                        .filter(SecurityInfo::usePSK).forEach(each -> all.add(shown(each)));
                boolean found = endpoint == null || !all.isEmpty();
                answer(exchange, found ? 200 : 404, endpoint == null ? all.toString() : found ? all.get(0).toString() : "");
            } else if (exchange.getRequestMethod().equals("DELETE")) {
                answer(exchange, KEYS.remove(endpoint, true) == null ? 404 : 204, "");
            } else {
                JsonNode document = JSON.readTree(exchange.getRequestBody());
                JsonNode details = document.get("tls").get("details");
                KEYS.add(SecurityInfo.newPreSharedKeyInfo(document.get("endpoint").asText(), details.get("identity").asText(),
                        HexFormat.of().parseHex(details.get("key").asText())));
                answer(exchange, 204, "");
            }
        } catch (Exception error) {
            answer(exchange, 400, error.getClass().getSimpleName()); // its words could hold the key
        }
    }

    private static ObjectNode shown(SecurityInfo info) {
        ObjectNode document = JSON.createObjectNode().put("endpoint", info.getEndpoint());
        document.putObject("tls").put("mode", "psk").putObject("details").put("identity", info.getPskIdentity())
                .put("key", HexFormat.of().formatHex(info.getPreSharedKey()));
        return document;
    }

    private static void follow(HttpExchange exchange) throws IOException {
        exchange.getResponseHeaders().set("Content-Type", "text/event-stream");
        exchange.sendResponseHeaders(200, 0);
        exchange.getResponseBody().write(":\n\n".getBytes(StandardCharsets.UTF_8));
        exchange.getResponseBody().flush();
        FOLLOWERS.add(exchange.getResponseBody());
    }

    private static void answer(HttpExchange exchange, int status, String text) throws IOException {
        byte[] data = text.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(status, data.length == 0 ? -1 : data.length);
        try (OutputStream output = exchange.getResponseBody()) {
            output.write(data);
        }
    }

    private static Map<String, String> query(HttpExchange exchange) {
        Map<String, String> found = new TreeMap<>();
        String text = exchange.getRequestURI().getRawQuery();
        for (String pair : text == null ? new String[0] : text.split("&")) {
            String[] halves = pair.split("=", 2);
            found.put(halves[0], URLDecoder.decode(halves.length > 1 ? halves[1] : "", StandardCharsets.UTF_8));
        }
        return found;
    }

    private static String cut(String path, String tail) {
        return path.substring(0, path.length() - tail.length());
    }

    // ---- what is shown

    private static ObjectNode shown(Registration client) {
        ObjectNode document = JSON.createObjectNode();
        document.put("endpoint", client.getEndpoint()).put("registrationId", client.getId());
        document.put("lifetime", client.getLifeTimeInSec());
        document.put("lastUpdate", client.getLastUpdate().getTime());
        document.put("registrationDate", client.getRegistrationDate().getTime());
        document.put("sleeping", client.usesQueueMode() && !leshan.getPresenceService().isClientAwake(client));
        document.put("bindingMode", BindingMode.toString(client.getBindingMode()));
        document.put("secure", "coaps".equalsIgnoreCase(client.getEndpointUri().getScheme()));
        document.set("objectLinks", shown(client.getSortedObjectLinks()));
        return document;
    }

    private static ArrayNode shown(Link[] links) {
        ArrayNode all = JSON.createArrayNode();
        for (Link link : links) {
            ObjectNode each = all.addObject();
            each.put("url", link.getUriReference());
            ObjectNode attributes = each.putObject("attributes");
            Collection<Attribute> known = link.getAttributes().asCollection();
            known.forEach(attribute -> attributes.put(attribute.getName(), String.valueOf(attribute.getValue())));
        }
        return all;
    }

    private static ObjectNode shown(LwM2mResponse response) {
        ObjectNode document = JSON.createObjectNode();
        document.put("status", response.getCode().toString());
        document.put("valid", response.isValid()).put("success", response.isSuccess()).put("failure", response.isFailure());
        if (response.getErrorMessage() != null) {
            document.put("errormessage", response.getErrorMessage());
        }
        if (response instanceof ReadResponse && ((ReadResponse) response).getContent() != null) { // observe's is one, too
            document.set("content", shown(((ReadResponse) response).getContent()));
        }
        if (response instanceof DiscoverResponse && response.isSuccess()) {
            document.set("objectLinks", shown(((DiscoverResponse) response).getObjectLinks()));
        }
        return document;
    }

    private static ObjectNode shown(LwM2mNode node) {
        ObjectNode document = JSON.createObjectNode();
        document.put("id", ((LwM2mChildNode) node).getId());
        if (node instanceof LwM2mObject) {
            ArrayNode instances = document.putArray("instances");
            ((LwM2mObject) node).getInstances().values().forEach(each -> instances.add(shown(each)));
        } else if (node instanceof LwM2mObjectInstance) {
            ArrayNode resources = document.putArray("resources");
            ((LwM2mObjectInstance) node).getResources().values().forEach(each -> resources.add(shown(each)));
        } else if (node instanceof LwM2mResourceInstance) {
            document.set("value", value(((LwM2mResourceInstance) node).getValue()));
        } else if (((LwM2mResource) node).isMultiInstances()) {
            ObjectNode values = document.putObject("values");
            ((LwM2mResource) node).getInstances()
                    .forEach((number, each) -> values.set(String.valueOf(number), value(each.getValue())));
        } else {
            document.set("value", value(((LwM2mResource) node).getValue()));
        }
        return document;
    }

    private static JsonNode value(Object value) {
        if (value instanceof Boolean) {
            return BooleanNode.valueOf((Boolean) value);
        }
        return TextNode.valueOf(value instanceof byte[] ? HexFormat.of().formatHex((byte[]) value) : String.valueOf(value));
    }

    // ---- events

    private static synchronized void tell(String name, JsonNode document) {
        byte[] data = ("event: " + name + "\ndata: " + document + "\n\n").getBytes(StandardCharsets.UTF_8);
        for (OutputStream follower : FOLLOWERS) {
            try {
                follower.write(data);
                follower.flush();
            } catch (IOException gone) {
                FOLLOWERS.remove(follower);
            }
        }
    }

    private static class Events implements RegistrationListener, ObservationListener, PresenceListener {
        public void registered(Registration client, Registration before, Collection<Observation> lost) {
            tell("REGISTRATION", shown(client));
        }

        public void updated(RegistrationUpdate update, Registration client, Registration before) {
            tell("UPDATED", JSON.createObjectNode().set("registration", shown(client)));
        }

        public void unregistered(Registration client, Collection<Observation> lost, boolean expired, Registration next) {
            tell("DEREGISTRATION", shown(client));
        }

        public void onAwake(Registration client) {
            tell("AWAKE", JSON.createObjectNode().put("ep", client.getEndpoint()));
            wake(client);
        }

        public void onSleeping(Registration client) {
            tell("SLEEPING", JSON.createObjectNode().put("ep", client.getEndpoint()));
        }

        public void newObservation(Observation observation, Registration client) {
        }

        public void cancelled(Observation observation) {
        }

        public void onResponse(SingleObservation observation, Registration client, ObserveResponse response) {
            if (client != null && response.getContent() != null) {
                ObjectNode document = JSON.createObjectNode();
                document.put("ep", client.getEndpoint()).put("res", observation.getPath().toString());
                document.set("val", shown(response.getContent()));
                tell("NOTIFICATION", document);
            }
        }

        public void onResponse(CompositeObservation observation, Registration client, ObserveCompositeResponse response) {
        }

        public void onError(Observation observation, Registration client, Exception error) {
            System.err.println("observation of " + client.getEndpoint() + ": " + error);
        }
    }
}
