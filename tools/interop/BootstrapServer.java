// A bootstrap server on Leshan's own library, for repositories that hold no demo bootstrap server.
// Run as a single source file: java -cp ... BootstrapServer.java HOST PORT SECURE_PORT SERVER_URI LIFETIME BINDING
// It hands every client one NoSec account of SERVER_URI and prints a line per session event.

import java.util.EnumSet;

import org.eclipse.leshan.core.request.BindingMode;
import org.eclipse.leshan.core.request.BootstrapDownlinkRequest;
import org.eclipse.leshan.core.request.BootstrapRequest;
import org.eclipse.leshan.core.request.Identity;
import org.eclipse.leshan.core.response.LwM2mResponse;
import org.eclipse.leshan.core.SecurityMode;
import org.eclipse.leshan.server.bootstrap.BootstrapConfig;
import org.eclipse.leshan.server.bootstrap.BootstrapFailureCause;
import org.eclipse.leshan.server.bootstrap.BootstrapSession;
import org.eclipse.leshan.server.bootstrap.BootstrapSessionListener;
import org.eclipse.leshan.server.californium.bootstrap.LeshanBootstrapServer;
import org.eclipse.leshan.server.californium.bootstrap.LeshanBootstrapServerBuilder;

public class BootstrapServer {

    public static void main(String[] args) {
        String host = args[0];
        BootstrapConfig config = account(args[3], Integer.parseInt(args[4]), args[5]);
        LeshanBootstrapServer server = new LeshanBootstrapServerBuilder()
                .setLocalAddress(host, Integer.parseInt(args[1]))
                .setLocalSecureAddress(host, Integer.parseInt(args[2]))
                .setConfigStore((endpoint, identity, session) -> config)
                .build();
        server.addListener(new Reporter());
        server.start();
        say("ready", "");
    }

    private static BootstrapConfig account(String uri, int lifetime, String binding) {
        BootstrapConfig config = new BootstrapConfig();
        config.toDelete.add("/0/1");
        config.toDelete.add("/1");
        BootstrapConfig.ServerConfig server = new BootstrapConfig.ServerConfig();
        server.shortId = 123;
        server.lifetime = lifetime;
        server.binding = binding.contains("Q") ? EnumSet.of(BindingMode.U, BindingMode.Q) : EnumSet.of(BindingMode.U);
        config.servers.put(0, server);
        BootstrapConfig.ServerSecurity security = new BootstrapConfig.ServerSecurity();
        security.uri = uri;
        security.securityMode = SecurityMode.NO_SEC;
        security.serverId = 123;
        config.security.put(1, security);
        return config;
    }

    private static void say(String event, String detail) {
        System.out.println("event " + event + " " + detail);
        System.out.flush();
    }

    private static class Reporter implements BootstrapSessionListener {
        public void sessionInitiated(BootstrapRequest request, Identity identity) {
            say("initiated", request.getEndpointName());
        }

        public void unAuthorized(BootstrapRequest request, Identity identity) {
            say("unauthorized", request.getEndpointName());
        }

        public void authorized(BootstrapSession session) {
            say("authorized", session.getEndpoint());
        }

        public void noConfig(BootstrapSession session) {
            say("no-config", session.getEndpoint());
        }

        public void sendRequest(BootstrapSession session, BootstrapDownlinkRequest<? extends LwM2mResponse> request) {
            say("request", request.toString());
        }

        public void onResponseSuccess(BootstrapSession session,
                BootstrapDownlinkRequest<? extends LwM2mResponse> request, LwM2mResponse response) {
            say("success", response.toString());
        }

        public void onResponseError(BootstrapSession session, BootstrapDownlinkRequest<? extends LwM2mResponse> request,
                LwM2mResponse response) {
            say("error", response.toString());
        }

        public void onRequestFailure(BootstrapSession session,
                BootstrapDownlinkRequest<? extends LwM2mResponse> request, Throwable cause) {
            say("failure", String.valueOf(cause));
        }

        public void end(BootstrapSession session) {
            say("end", session.getEndpoint());
        }

        public void failed(BootstrapSession session, BootstrapFailureCause cause) {
            say("failed", session.getEndpoint() + " " + cause);
        }
    }
}
