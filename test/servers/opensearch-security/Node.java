import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.opensearch.common.settings.Settings;
import org.opensearch.http.HttpServerTransport;
import org.opensearch.index.reindex.ReindexPlugin;
import org.opensearch.node.InternalSettingsPreparer;
import org.opensearch.security.OpenSearchSecurityPlugin;
import org.opensearch.transport.Netty4Plugin;

/**
 * One OpenSearch 2 node with the security plugin: java -cp 'jars/*:plugin/*' Node.java HOME, where
 * HOME/config/opensearch.yml and HOME/config/opensearch-security/ are. SIGTERM or the end of its input stops it.
 */
class Node extends org.opensearch.node.Node {
    // The public constructor looks for plugins in a folder; here they are on the class path.
    Node(Path home) {
        super(InternalSettingsPreparer.prepareEnvironment(
                Settings.builder().put("path.home", home).build(), Map.of(), home.resolve("config"), () -> "test"),
            List.of(Netty4Plugin.class, ReindexPlugin.class, OpenSearchSecurityPlugin.class), false);
    }

    public static void main(String[] args) throws Exception {
        Node node = new Node(Path.of(args[0]));
        Runtime.getRuntime().addShutdownHook(new Thread(node::quit));
        node.start();
        // The system chooses the port, so that many nodes run beside each other. Whoever started this one reads the line.
        System.out.println("listening on " + node.injector().getInstance(HttpServerTransport.class)
            .boundAddress().publishAddress().getPort());
        System.in.readAllBytes(); // the input ends when whoever started this is gone
        System.exit(0);
    }

    private void quit() {
        try {
            close();
        } catch (Exception e) {
            e.printStackTrace();
        }
    }
}
