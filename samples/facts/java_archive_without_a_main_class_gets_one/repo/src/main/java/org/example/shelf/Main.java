package org.example.shelf;

import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
import org.slf4j.LoggerFactory;

public class Main {
    public static void main(String[] arguments) throws Exception {
        HttpServer server = HttpServer.create(new InetSocketAddress(8123), 0);
        server.createContext("/", exchange -> {
            byte[] answer = "shelf".getBytes();
            exchange.sendResponseHeaders(200, answer.length);
            exchange.getResponseBody().write(answer);
            exchange.close();
        });
        server.start();
        LoggerFactory.getLogger(Main.class).info("listens");
    }
}
