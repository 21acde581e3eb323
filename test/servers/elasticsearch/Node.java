import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.http.HttpServerTransport;
import org.elasticsearch.node.InternalSettingsPreparer;
import org.elasticsearch.reindex.ReindexPlugin;
import org.elasticsearch.transport.Netty4Plugin;

/**
 * One Elasticsearch 7 node: java -cp 'jars/*' Node.java HOME, where
 * HOME/config/elasticsearch.yml is. SIGTERM or the end of its input stops it.
 */
class Node extends org.elasticsearch.node.Node {
    // The public constructor looks for plugins in a folder; here they are on the class path.
    Node(Path home) {
        super(InternalSettingsPreparer.prepareEnvironment(
                Settings.builder().put("path.home", home).build(), Map.of(), home.resolve("config"), () -> "test"),
            List.of(Netty4Plugin.class, ReindexPlugin.class), false);
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
