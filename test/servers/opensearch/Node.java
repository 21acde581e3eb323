import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.opensearch.Version;
import org.opensearch.common.settings.Settings;
import org.opensearch.http.HttpServerTransport;
import org.opensearch.index.reindex.ReindexModulePlugin;
import org.opensearch.node.InternalSettingsPreparer;
import org.opensearch.plugins.Plugin;
import org.opensearch.plugins.PluginInfo;
import org.opensearch.transport.Netty4ModulePlugin;

/**
 * One OpenSearch 3 node: java -cp 'jars/*' Node.java HOME, where
 * HOME/config/opensearch.yml is. SIGTERM or the end of its input stops it.
 */
class Node extends org.opensearch.node.Node {
    // The public constructor looks for plugins in a folder; here they are on the class path.
    Node(Path home) {
        super(InternalSettingsPreparer.prepareEnvironment(
                Settings.builder().put("path.home", home).build(), Map.of(), home.resolve("config"), () -> "test"),
            Stream.of(Netty4ModulePlugin.class, ReindexModulePlugin.class).map(Node::plugin).toList(), false);
    }

    private static PluginInfo plugin(Class<? extends Plugin> type) {
        return new PluginInfo(type.getSimpleName(), "on the class path", "1", Version.CURRENT, "21", type.getName(), null,
            List.of(), false);
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
