package launch;

import java.net.ServerSocket;

public class Main {
    public static void main(String[] arguments) throws Exception {
        try (ServerSocket server = new ServerSocket(8124)) {
            server.accept().close();
        }
    }
}
