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

	"github.com/trailship/trailship/history"
	"github.com/trailship/trailship/history/historytest"
	"github.com/trailship/trailship/pipeline/ecs"
	"github.com/trailship/trailship/sinks/cluster/lookup"
)

// testHistory asks the cluster what the embedded store is asked, of documents that our own sinks have written, with and
// without the records themselves in them.
func (r *rig) testHistory(t *testing.T) {
	t.Helper()
	reader := &rig{cluster: r.cluster, binary: r.binary}
	if r.cluster.Username != "" {
		reader.cluster = r.user(t, "reader")
	}
	search := lookup.New(transportTo(t, reader.cluster), indices, "")
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
			w := r.writer(t, tc.config)
			w.write(t, historytest.Records())
			w.end(t)
			historytest.Suite(t, lookup.New(transportTo(t, reader.cluster), indices, tc.config.Retain))
			reader.checkCommands(t)
			r.forget(t)
		})
	}
	t.Run("documents without times and ids", func(t *testing.T) {
		r.checkPages(t, search)
		r.forget(t)
	})
}

// checkPages walks through documents of which some have no time, or no id of an event.
func (r *rig) checkPages(t *testing.T, search history.Search) {
	t.Helper()
	const index = "logs-aws.cloudtrail-trailship-2000.01.01"
	want := map[string]bool{}
	var body strings.Builder
	for i, doc := range []string{
		`{}`, `{"event":{"id":"a"}}`, `{"event":{"id":"b"}}`, `{"@timestamp":"2026-11-21T10:00:00Z"}`, `{"log":{"offset":1}}`, `{"log":{"offset":2}}`,
		`{"@timestamp":"2026-11-21T10:00:00Z","log":{"file":{"path":"x"},"offset":7}}`, `{"@timestamp":"2026-11-21T10:00:00Z","event":{"id":"c"}}`,
		`{"@timestamp":"2026-11-21T10:00:00Z","log":{"file":{"path":"x"},"offset":8}}`, `{"@timestamp":"1969-01-01T00:00:00Z"}`,
	} {
		id := fmt.Sprint("page-", i)
		want[id] = true
		fmt.Fprintf(&body, "{\"create\":{\"_index\":%q,\"_id\":%q}}\n%s\n", index, id, doc)
	}
	if err := r.cluster.Do(t.Context(), http.MethodPost, "/_bulk?refresh=true", body.String(), nil); err != nil {
		t.Fatal(err)
	}
	for _, q := range []history.Query{{Limit: 1}, {Limit: 1, Oldest: true}, {Limit: 3}, {Limit: 3, Oldest: true}} {
		got := map[string]bool{}
		for more := true; more; more = q.After != "" {
			page, err := search.Events(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range page.Events {
				if got[e.ID] {
					t.Errorf("limit %d, oldest first %v: %s comes twice", q.Limit, q.Oldest, e.ID)
				}
				got[e.ID] = true
			}
			q.After = page.Next
		}
		if len(got) != len(want) {
			t.Errorf("limit %d, oldest first %v: got %v, want %v", q.Limit, q.Oldest, got, want)
		}
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
