package example.ferry;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;

/** Says which quay this is. */
public final class Quays {
    public static void main(String[] arguments) throws IOException {
        String quay = arguments.length > 0 ? arguments[0].replace("--quay=", "") : "unknown";
        byte[] body = ("quay " + quay).getBytes(StandardCharsets.UTF_8);
        HttpServer server = HttpServer.create(new InetSocketAddress(8230), 0);
        server.createContext("/", exchange -> {
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
    }
}
