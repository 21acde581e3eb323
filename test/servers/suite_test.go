//go:build servers

// The suite ships the sample files from moto into each cluster with the built binary and looks at what is there then.
package servers_test

import (
	"compress/gzip"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/trailship/trailship/test/servers"
)

// indices is what output.index becomes, for all days.
const indices = "logs-aws.cloudtrail-trailship-*"

// A rig is one cluster with an AWS of its own, and the program under test.
type rig struct {
	cluster *servers.Cluster
	aws     *servers.AWS
	binary  string
	logs    string
	samples samples
}

// samples are the log files of test/samples.
type samples struct {
	files []string
	ids   map[string]bool // every eventID in them
}

func TestServers(t *testing.T) {
	cache, logs := folders(t)
	binary := build(t)
	samples := readSamples(t)
	for _, kind := range servers.Kinds() {
		t.Run(kind.Name, func(t *testing.T) {
			t.Parallel()
			r := &rig{
				cluster: servers.StartCluster(t, kind, cache, logs),
				aws:     servers.StartAWS(t, cache, logs, kind.Name+"-moto"),
				binary:  binary, logs: filepath.Join(logs, kind.Name), samples: samples,
			}
			if err := os.MkdirAll(r.logs, 0o755); err != nil {
				t.Fatal(err)
			}
			sink := sinkOf(r.cluster)
			if r.cluster.Username != "" {
				sink = r.testRoles(t)
			}
			r.testDelivery(t, sink)
			t.Run("history", r.testHistory)
			r.testTags(t, sink)
			r.testDocuments(t)
			r.testRawDocuments(t)
			r.testKill(t, sink)
			if r.cluster.Username != "" {
				r.testWrongPassword(t, sink)
				return
			}
			r.testTroubles(t, sink)
		})
	}
}

// folders are where the servers are, and where what they say goes.
func folders(t testing.TB) (cache, logs string) {
	t.Helper()
	if cache = os.Getenv("TRAILSHIP_TEST_CACHE"); cache == "" {
		t.Fatal("TRAILSHIP_TEST_CACHE does not say where the servers are; run test/run --only servers")
	}
	if logs = os.Getenv("TRAILSHIP_TEST_LOGS"); logs == "" {
		logs = t.TempDir()
	}
	return cache, logs
}

// build builds the program statically, as it is released.
func build(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "trailship")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "../../cmd/trailship")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building trailship: %v\n%s", err, out)
	}
	return binary
}

// readSamples reads every eventID. It knows how many there must be: a file that is missing must not go unseen.
func readSamples(t *testing.T) samples {
	t.Helper()
	files, err := filepath.Glob("../samples/invictus/*.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	s := samples{files: files, ids: map[string]bool{}}
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		unzip, err := gzip.NewReader(f)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var file struct {
			Records []struct{ EventID string }
		}
		if err := json.NewDecoder(unzip).Decode(&file); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, r := range file.Records {
			s.ids[r.EventID] = true
		}
	}
	if len(files) != 37 || len(s.ids) != 2122 {
		t.Fatalf("got %d files with %d eventIDs, want 37 with 2122", len(files), len(s.ids))
	}
	return s
}

// trail makes a bucket and a queue with every sample file in them.
func (r *rig) trail(t *testing.T, name string) *servers.Trail {
	t.Helper()
	trail, err := r.aws.NewTrail(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	r.put(t, trail)
	return trail
}

// put puts every sample file into the bucket, so that each is announced.
func (r *rig) put(t *testing.T, trail *servers.Trail) {
	t.Helper()
	if err := trail.Put(t.Context(), r.samples.files); err != nil {
		t.Fatal(err)
	}
}

// forget deletes every document, so that another test can begin.
func (r *rig) forget(t *testing.T) {
	t.Helper()
	for name := range r.indices(t) {
		if err := r.cluster.Do(t.Context(), http.MethodDelete, "/"+name, nil, nil); err != nil {
			t.Fatal(err)
		}
	}
}

// mapping is what _mapping answers for one index.
type mapping struct {
	Mappings struct {
		Dynamic    any                 `json:"dynamic"`
		Properties map[string]property `json:"properties"`
	} `json:"mappings"`
}

// property is a field of a mapping: a type, or an object of properties.
type property struct {
	Type       string              `json:"type"`
	Properties map[string]property `json:"properties"`
}

// indices are the indices with documents and their mappings.
func (r *rig) indices(t *testing.T) map[string]mapping {
	t.Helper()
	var found map[string]mapping
	if err := r.cluster.Do(t.Context(), http.MethodGet, "/"+indices+"/_mapping", nil, &found); err != nil {
		t.Fatal(err)
	}
	return found
}

// search is a search and its answer.
type search struct {
	Hits struct {
		Total struct{ Value int }
		Hits  []struct {
			Index  string           `json:"_index"`
			ID     string           `json:"_id"`
			Fields map[string][]any `json:"fields"`
		}
	}
}

// search searches the documents. body is the request.
func (r *rig) search(t *testing.T, body map[string]any) search {
	t.Helper()
	ctx := t.Context()
	if err := r.cluster.Do(ctx, http.MethodPost, "/"+indices+"/_refresh", nil, nil); err != nil {
		t.Fatal(err)
	}
	body["track_total_hits"] = true
	var answer search
	if err := r.cluster.Do(ctx, http.MethodPost, "/"+indices+"/_search", body, &answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

// stored is the number of documents.
func (r *rig) stored(t *testing.T) int {
	t.Helper()
	return r.search(t, map[string]any{"size": 0}).Hits.Total.Value
}

// checkAllOnce checks that every sample record is there exactly once and nothing else is.
func (r *rig) checkAllOnce(t *testing.T) {
	t.Helper()
	answer := r.search(t, map[string]any{"size": 5000, "_source": false, "fields": []string{"event.id"}})
	if got, want := answer.Hits.Total.Value, len(r.samples.ids); got != want {
		t.Errorf("got %d documents, want %d", got, want)
	}
	seen := map[string]bool{}
	for _, hit := range answer.Hits.Hits {
		id := ""
		if values := hit.Fields["event.id"]; len(values) == 1 {
			id, _ = values[0].(string)
		}
		switch {
		case id != hit.ID:
			t.Errorf("document %s: got event.id %q, want the same", hit.ID, id)
		case seen[id]:
			t.Errorf("%s is there twice", id)
		case !r.samples.ids[id]:
			t.Errorf("%s is in no sample", id)
		}
		seen[id] = true
	}
	for id := range r.samples.ids {
		if !seen[id] {
			t.Errorf("%s is missing", id)
		}
	}
}
