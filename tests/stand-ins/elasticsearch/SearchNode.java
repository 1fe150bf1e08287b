import java.nio.file.Path;
import java.util.Map;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.node.InternalSettingsPreparer;
import org.elasticsearch.node.Node;

/** One node, whose settings are the variables with a dot in their names, as with the official image. */
public class SearchNode {
    public static void main(String[] arguments) throws Exception {
        LogConfigurator.configureESLogging();
        Path home = Path.of(arguments[0]);
        Settings.Builder settings = Settings.builder()
            .put("path.home", home.toString())
            .put("cluster.name", "docker-cluster")
            .put("network.host", "0.0.0.0");
        System.getenv().forEach((name, value) -> {
            // What belongs to X-Pack and other plugins is not here.
            boolean isCore = !name.startsWith("xpack.") && !name.startsWith("plugins.") && !name.startsWith("ingest.");
            if (isCore && name.matches("[-a-z0-9_]+(\\.[-a-z0-9_]+)+")) settings.put(name, value);
        });
        Environment environment = InternalSettingsPreparer.prepareEnvironment(
            settings.build(), Map.of(), home.resolve("config"), () -> System.getenv("HOSTNAME"));
        LogConfigurator.setNodeName(Node.NODE_NAME_SETTING.get(environment.settings()));
        LogConfigurator.configureWithoutConfig(environment.settings());
        Node node = new Node(environment);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            try {
                node.close();
            } catch (Exception error) {
                error.printStackTrace();
            }
        }));
        node.start();
        System.out.println("started");
        Thread.currentThread().join();
    }
}
