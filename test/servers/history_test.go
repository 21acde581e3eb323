//go:build servers

package servers_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap/zaptest"

	"github.com/trailship/trailship/config/value"
	"github.com/trailship/trailship/history/historytest"
	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/pipeline/cloudtrail"
	"github.com/trailship/trailship/pipeline/ecs"
	"github.com/trailship/trailship/sinks"
	"github.com/trailship/trailship/sinks/bulk"
	"github.com/trailship/trailship/sinks/cluster/lookup"
	"github.com/trailship/trailship/sinks/elasticsearch"
	"github.com/trailship/trailship/sinks/opensearch"
	"github.com/trailship/trailship/test/servers"
)

// TestHistory asks each cluster what the embedded store is asked, of documents that our own sinks have written.
func TestHistory(t *testing.T) {
	cache := os.Getenv("TRAILSHIP_TEST_CACHE")
	if cache == "" {
		t.Fatal("TRAILSHIP_TEST_CACHE does not say where the servers are; run test/run --only servers")
	}
	logs := os.Getenv("TRAILSHIP_TEST_LOGS")
	if logs == "" {
		logs = t.TempDir()
	}
	binary := build(t)
	for _, kind := range servers.Kinds() {
		t.Run(kind.Name, func(t *testing.T) {
			testHistory(t, &rig{cluster: servers.StartCluster(t, kind, cache, logs), binary: binary})
		})
	}
}

// testHistory asks a cluster about the cast of the suite, with and without the records themselves in the documents.
func testHistory(t *testing.T, r *rig) {
	t.Helper()
	reader := &rig{cluster: r.cluster, binary: r.binary}
	if r.cluster.Username != "" {
		reader.cluster = r.user(t, "reader")
	}
	search := lookup.New(reader.transport(t), indices, "")
	t.Run("before there is an index", func(t *testing.T) { historytest.Empty(t, search) })
	for _, tc := range []struct {
		name   string
		config ecs.Config
	}{
		{"documents", ecs.Config{}},
		{"documents with their records", ecs.Config{KeepOriginal: true}},
		{"documents with objects only", ecs.Config{Retain: ecs.RetainFlattened}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r.write(t, tc.config, historytest.Records())
			historytest.Suite(t, lookup.New(reader.transport(t), indices, ""))
			reader.checkCommands(t)
			r.forget(t)
		})
	}
}

// checkCommands looks events up with the program and a configuration of the cluster.
func (r *rig) checkCommands(t *testing.T) {
	t.Helper()
	to := sinkOf(r.cluster)
	file := filepath.Join(t.TempDir(), "trailship.yaml")
	text := fmt.Sprintf("sources: {directory: {path: %q}}\nsinks:\n  %s: {urls: [%q], username: %q, password: \"${SINK_PASSWORD}\", ca_file: %q}\n",
		t.TempDir(), to.kind, to.url, to.username, to.caFile)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), r.binary, append(args, "--config", file)...)
		cmd.Env = append(os.Environ(), "SINK_PASSWORD="+to.password)
		return cmd
	}
	for _, tc := range []struct{ args, want string }{
		{"events --event-name CreateAccessKey -o csv", "bob@example.com"},
		{"events --question new-credentials --top user -o csv", "user,2,bob@example.com"},
		{"events --outcome failure --histogram", "6 events, 6 of them failed"},
	} {
		out, err := run(strings.Fields(tc.args)...).CombinedOutput()
		if err != nil || !strings.Contains(string(out), tc.want) {
			t.Errorf("%s: got %v and %s, want %q", tc.args, err, out, tc.want)
		}
	}
	page := run("serve", "--listen", "127.0.0.1:0")
	out, err := page.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := page.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	url := regexp.MustCompile(`http://[0-9.:]+`).FindString(line)
	if err != nil || url == "" {
		t.Errorf("serve says %q, %v, want where the page is", line, err)
	} else if got := download(t, url+"/api/extent"); !strings.Contains(got, fmt.Sprintf(`"events":%d`, len(historytest.Records()))) {
		t.Errorf("the page's extent: got %s", got)
	}
	if err := errors.Join(page.Process.Signal(os.Interrupt), page.Wait()); err != nil {
		t.Error(err)
	}
}

func download(t *testing.T, url string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// write writes records with the sink of the configuration and waits until they can be found.
func (r *rig) write(t *testing.T, format ecs.Config, records []string) {
	t.Helper()
	index, err := pipeline.ParseIndexPattern("logs-aws.cloudtrail-trailship-{yyyy.MM.dd}")
	if err != nil {
		t.Fatal(err)
	}
	config := sinks.Config{}
	if r.cluster.Name == "elasticsearch" {
		config.Elasticsearch = &elasticsearch.Config{URLs: []string{r.cluster.URL}}
	} else {
		config.OpenSearch = &opensearch.Config{
			URLs: []string{r.cluster.URL}, Username: r.cluster.Username, Password: value.Secret(r.cluster.Password), CAFile: r.cluster.CAFile,
		}
	}
	opened, err := sinks.Open(config, sinks.Options{Index: index, Limits: bulk.Limits{}, Log: zaptest.NewLogger(t), Metrics: prometheus.NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := opened.Close(); err != nil {
			t.Error(err)
		}
	}()
	format.LeafLimit = opened.LeafLimit
	b := pipeline.NewBatch(1, ecs.NewEncoder(format))
	object := &cloudtrail.Object{Bucket: "trail", Key: "AWSLogs/1.json.gz"}
	for i, text := range records {
		var rec cloudtrail.Record
		if err := rec.Parse([]byte(strings.Clone(text))); err != nil {
			t.Fatal(err)
		}
		rec.Object, rec.Number = object, i+1
		at, _ := rec.Time()
		b.Add(&rec, rec.Field(cloudtrail.EventID).Bytes(), "logs-aws.cloudtrail-trailship-"+at.Format("2006.01.02"), at)
	}
	fates, err := opened.Sink.Write(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	for i, fate := range fates {
		if fate.Outcome != pipeline.Indexed {
			t.Errorf("record %d: got %+v, want it indexed", i, fate)
		}
	}
	if err := r.cluster.Do(t.Context(), http.MethodPost, "/"+indices+"/_refresh", nil, nil); err != nil {
		t.Fatal(err)
	}
}
