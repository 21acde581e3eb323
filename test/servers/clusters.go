package servers

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// bootTimeout is how long a server may take from its start to its first answer. Alone it takes about seven seconds.
const bootTimeout = 10 * time.Minute

// A Cluster is one running search server of one node, and the account that may do everything there.
type Cluster struct {
	Name     string // opensearch, opensearch-security or elasticsearch
	URL      string
	CAFile   string // the CA's certificate, "" where there is no TLS
	Username string // "" where there are no accounts
	Password string
	Client   *http.Client

	node *Process
	boot func(t testing.TB, log string)
}

// A Kind is one of the servers that can be started.
type Kind struct {
	Name     string // the folder of its pom.xml and Node.java, and of its jars in the cache
	Config   string // the name of its settings file
	java     string // the cache's link to a JDK that runs it
	classes  []string
	settings string
	secure   bool
}

const commonSettings = `cluster.name: test
http.port: 0
http.host: 127.0.0.1
transport.port: 0
transport.host: 127.0.0.1
discovery.type: single-node
cluster.routing.allocation.disk.threshold_enabled: false
cluster.info.update.interval: 10s
`

const securitySettings = `plugins.security.ssl.http.enabled: true
plugins.security.ssl.http.pemcert_filepath: node.pem
plugins.security.ssl.http.pemkey_filepath: node.key
plugins.security.ssl.http.pemtrustedcas_filepath: ca.pem
plugins.security.ssl.transport.pemcert_filepath: node.pem
plugins.security.ssl.transport.pemkey_filepath: node.key
plugins.security.ssl.transport.pemtrustedcas_filepath: ca.pem
plugins.security.nodes_dn: ["CN=node"]
plugins.security.allow_default_init_securityindex: true
plugins.security.restapi.roles_enabled: [all_access]
`

// Kinds returns the three servers of the tests.
func Kinds() []Kind {
	return []Kind{
		{Name: "opensearch", Config: "opensearch.yml", java: "jdk21", classes: []string{"jars/*"}, settings: commonSettings},
		{
			Name: "opensearch-security", Config: "opensearch.yml", java: "jdk17", classes: []string{"jars/*", "plugin/*"},
			settings: commonSettings + securitySettings, secure: true,
		},
		{
			Name: "elasticsearch", Config: "elasticsearch.yml", java: "jdk17", classes: []string{"jars/*"},
			settings: commonSettings + "transport.type: netty4\nhttp.type: netty4\n",
		},
	}
}

// StartCluster starts one server and returns when it answers. cache is the folder that the script install filled; logs
// is where its output goes. The server ends with the test.
func StartCluster(t testing.TB, k Kind, cache, logs string) *Cluster {
	t.Helper()
	home := t.TempDir()
	config := filepath.Join(home, "config")
	writeFile(t, filepath.Join(config, k.Config), k.settings)
	c := &Cluster{Name: k.Name, Client: &http.Client{Timeout: time.Minute}}
	scheme := "http"
	if k.secure {
		scheme = "https"
		c.secure(t, config)
		copySecurityConfig(t, filepath.Join(cache, k.Name, "plugin", "config"), filepath.Join(config, "opensearch-security"))
	}

	classes := make([]string, len(k.classes))
	for i, c := range k.classes {
		classes[i] = filepath.Join(cache, k.Name, c)
	}
	c.boot = func(t testing.TB, log string) {
		t.Helper()
		c.node = Start(t, logs, log, exec.CommandContext(t.Context(), filepath.Join(cache, k.java, "bin", "java"),
			"-Xms256m", "-Xmx768m", "-cp", strings.Join(classes, string(os.PathListSeparator)), filepath.Join(k.Name, "Node.java"), home))
		c.await(t, scheme)
	}
	c.boot(t, k.Name)
	return c
}

// await waits until the server answers, and fills in where.
func (c *Cluster) await(t testing.TB, scheme string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), bootTimeout)
	defer cancel()
	match, err := c.node.Said(ctx, regexp.MustCompile(`listening on (\d+)`))
	if err != nil {
		t.Fatal(err)
	}
	c.URL = scheme + "://127.0.0.1:" + match[1]
	// The security plugin listens before it has made its accounts.
	if err := Until(ctx, func() error { return c.Do(ctx, http.MethodGet, "/", nil, nil) }, c.node.done); err != nil {
		t.Fatal(err)
	}
}

// Kill ends the server at once, as kill -9 does.
func (c *Cluster) Kill() { c.node.Kill() }

// Boot starts the server again after Kill, with what is on its disk. Its address is another one.
func (c *Cluster) Boot(t testing.TB) {
	t.Helper()
	c.boot(t, c.Name+"-again")
}

// secure makes the cluster's certificates and fills in what a client needs to know.
func (c *Cluster) secure(t testing.TB, dir string) {
	t.Helper()
	ca := MakeCertificates(t, dir)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	c.CAFile = filepath.Join(dir, "ca.pem")
	c.Username, c.Password = "admin", "admin" // of the plugin's own example files
	c.Client.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
}

// As returns the same cluster for another account.
func (c *Cluster) As(username, password string) *Cluster {
	other := *c
	other.Username, other.Password = username, password
	return &other
}

// A StatusError is an answer that is not 2xx.
type StatusError struct {
	Request string // method and path
	Status  int
	Body    string
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("%s: %d %s", e.Request, e.Status, e.Body)
}

// Do sends body as JSON (a string as it is, nothing for nil) and reads the answer into answer unless that is nil. An
// answer that is not 2xx is a *StatusError.
func (c *Cluster) Do(ctx context.Context, method, path string, body, answer any) error {
	text, ok := body.(string)
	if !ok && body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return err
		}
		text = string(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.URL+path, strings.NewReader(text))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	if c.Username != "" {
		req.SetBasicAuth(c.Username, c.Password)
	}
	resp, err := c.Client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode/100 != 2 {
		return &StatusError{Request: method + " " + path, Status: resp.StatusCode, Body: string(bytes.TrimSpace(b))}
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(b, answer)
}

func writeFile(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// copySecurityConfig gives the node its own copy of the plugin's example accounts and roles.
func copySecurityConfig(t testing.TB, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}
