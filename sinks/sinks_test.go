package sinks_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap/zaptest"

	"github.com/trailship/trailship/config/value"
	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/sinks"
	"github.com/trailship/trailship/sinks/bulk"
	"github.com/trailship/trailship/sinks/cluster"
	"github.com/trailship/trailship/sinks/deadletter"
	"github.com/trailship/trailship/sinks/elasticsearch"
	"github.com/trailship/trailship/sinks/ndjson"
	"github.com/trailship/trailship/sinks/opensearch"
	"github.com/trailship/trailship/sinks/sinktest"
	"github.com/trailship/trailship/test/standin"
)

func open(t *testing.T, c sinks.Config) *sinks.Opened {
	t.Helper()
	index, err := pipeline.ParseIndexPattern(cluster.DefaultIndex)
	if err != nil {
		t.Fatal(err)
	}
	opened, err := sinks.Open(c, sinks.Options{
		Index: index, DeadLetters: deadletter.Config{Index: "trailship-dead-letters"}, Limits: bulk.Limits{Requests: 4},
		Log: zaptest.NewLogger(t), Metrics: prometheus.NewRegistry(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := opened.Close(); err != nil {
			t.Error(err)
		}
	})
	return opened
}

// kinds are the sinks that speak to a cluster at url.
func kinds(url string) map[string]sinks.Config {
	return map[string]sinks.Config{
		"elasticsearch": {Elasticsearch: &elasticsearch.Config{URLs: []string{url}}},
		"opensearch":    {OpenSearch: &opensearch.Config{URLs: []string{url}}},
	}
}

func TestContract(t *testing.T) {
	for kind := range kinds("") {
		t.Run(kind, func(t *testing.T) {
			sinktest.Contract(t, func(t *testing.T) pipeline.Sink {
				t.Helper()
				server := httptest.NewServer(&standin.Cluster{OpenSearch: kind == "opensearch"})
				t.Cleanup(server.Close)
				return open(t, kinds(server.URL)[kind]).Sink
			})
		})
	}
}

// properties are the mappings of a template in the stand-in, by path.
func properties(t *testing.T, c *standin.Cluster, name string) map[string]any {
	t.Helper()
	var body struct {
		Template struct {
			Mappings struct {
				Properties map[string]any `json:"properties"`
			} `json:"mappings"`
		} `json:"template"`
	}
	if err := json.Unmarshal(c.Template(name), &body); err != nil {
		t.Fatalf("template %s: %v", name, err)
	}
	flat := map[string]any{}
	flatten("", body.Template.Mappings.Properties, flat)
	return flat
}

func flatten(path string, properties map[string]any, into map[string]any) {
	for name, p := range properties {
		mapping, _ := p.(map[string]any)
		if inner, ok := mapping["properties"].(map[string]any); ok {
			flatten(path+name+".", inner, into)
			continue
		}
		into[path+name] = mapping
	}
}

func TestSetup_types(t *testing.T) {
	object := func(pairs ...any) map[string]any {
		m := map[string]any{}
		for i := 0; i < len(pairs); i += 2 {
			m[pairs[i].(string)] = pairs[i+1] //nolint:forcetypeassert // a list in this file
		}
		return m
	}
	tests := []struct {
		name   string
		refuse []string
		want   map[string]any
	}{
		{
			name: "a cluster that knows everything", want: map[string]any{
				"source.ip": object("type", "ip"), "@timestamp": object("type", "date"),
				"event.dataset":         object("type", "constant_keyword", "value", "aws.cloudtrail"),
				"error.message":         object("type", "match_only_text"),
				"event.original":        object("type", "keyword", "index", false, "doc_values", false),
				"data_stream.namespace": object("type", "keyword"),
				"aws.cloudtrail.flattened.request_parameters": object("type", "flattened", "ignore_above", 8191.0),
			},
		},
		{
			name: "plain Elasticsearch 7.17", refuse: []string{"constant_keyword", "match_only_text", "wildcard"}, want: map[string]any{
				"event.dataset": object("type", "keyword"),
				"error.message": object("type", "text"),
				"user.name":     object("type", "keyword", "ignore_above", 1024.0, "fields", object("text", object("type", "text"))),
			},
		},
		{
			name: "OpenSearch", refuse: []string{"flattened"}, want: map[string]any{
				"aws.cloudtrail.flattened.request_parameters": object("type", "flat_object"),
			},
		},
		{
			name: "neither flattened nor flat_object", refuse: []string{"flattened", "flat_object"}, want: map[string]any{
				"aws.cloudtrail.flattened.request_parameters": object("type", "object", "enabled", false),
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := &standin.Cluster{RefuseTypes: tt.refuse}
			server := httptest.NewServer(c)
			defer server.Close()
			if err := open(t, kinds(server.URL)["elasticsearch"]).Setup(t.Context()); err != nil {
				t.Fatal(err)
			}
			got := properties(t, c, "trailship-cloudtrail")
			for field, want := range tt.want {
				if diff := cmp.Diff(want, got[field]); diff != "" {
					t.Errorf("%s (-want +got):\n%s", field, diff)
				}
			}
			if properties(t, c, "trailship-dead-letters")["record"] == nil {
				t.Error("the dead letters' template has no record")
			}
		})
	}
}

// roles answers 403 to requests that a role may not make.
func roles(c *standin.Cluster, may func(r *http.Request) bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if may(r) {
			c.ServeHTTP(w, r)
			return
		}
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte(`{"error":{"type":"security_exception","reason":"no permissions"},"status":403}`))
	})
}

// TestCreateIndex_blocked: while a cluster lets nobody make indices, one that is there takes documents.
func TestCreateIndex_blocked(t *testing.T) {
	c := &standin.Cluster{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut && !strings.HasPrefix(r.URL.Path, "/_index_template/") && c.Template("made") != nil {
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write([]byte(`{"error":{"type":"index_create_block_exception","reason":"blocked by: [FORBIDDEN/10/cluster create-index blocked (api)];"},"status":403}`))
			return
		}
		c.ServeHTTP(w, r)
	}))
	defer server.Close()
	for i, id := range []string{"a", "b"} { // the second daemon comes when the index is there and the block too
		s := open(t, kinds(server.URL)["elasticsearch"])
		fates, err := s.Sink.Write(t.Context(), sinktest.Batch(t, uint64(i), sinktest.Index, id))
		if err != nil || fates[0].Outcome != pipeline.Indexed {
			t.Errorf("%s: got %v, %v, want the document indexed", id, fates, err)
		}
		c.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPut, "/_index_template/made", strings.NewReader("{}")))
	}
}

func TestCreateIndex_templates(t *testing.T) {
	writer := func(r *http.Request) bool {
		return r.Method != http.MethodPut || !strings.HasPrefix(r.URL.Path, "/_index_template/")
	}
	anybody := func(*http.Request) bool { return true }
	tests := []struct {
		name    string
		version int // of the templates that are there; 0: none are
		may     func(*http.Request) bool
		want    int    // version afterwards
		stored  bool   // the document gets through
		said    string // in the sink's reason for not being ready
	}{
		{name: "missing, and installed", may: anybody, want: cluster.Version, stored: true},
		{name: "a newer one is kept", version: 99, may: anybody, want: 99, stored: true},
		{name: "there, and the role may only write", version: cluster.Version, may: writer, want: cluster.Version, stored: true},
		{name: "missing, and the role may only write", may: writer, said: "run trailship setup with the set-up role"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := &standin.Cluster{BuiltinLogs: true}
			server := httptest.NewServer(roles(c, tt.may))
			defer server.Close()
			if tt.version > 0 {
				putTemplates(t, c, tt.version)
			}
			s := open(t, kinds(server.URL)["elasticsearch"])
			if !tt.stored {
				refused(t, s, tt.said)
				return
			}
			fates, err := s.Sink.Write(t.Context(), sinktest.Batch(t, 1, sinktest.Index, "a"))
			if err != nil || fates[0].Outcome != pipeline.Indexed {
				t.Errorf("got %v, %v, want the document indexed", fates, err)
			}
			var got struct{ Version int }
			if err := json.Unmarshal(c.Template("trailship-cloudtrail"), &got); err != nil || got.Version != tt.want {
				t.Errorf("got template version %d, %v, want %d", got.Version, err, tt.want)
			}
		})
	}
}

// putTemplates puts templates of a version into the stand-in, as somebody's setup did.
func putTemplates(t *testing.T, c *standin.Cluster, version int) {
	t.Helper()
	for name, pattern := range map[string]string{"trailship-cloudtrail": "logs-aws.cloudtrail-trailship-*", "trailship-dead-letters": "trailship-dead-letters"} {
		body, err := json.Marshal(map[string]any{"index_patterns": []string{pattern}, "priority": 500, "version": version})
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		c.ServeHTTP(w, httptest.NewRequest(http.MethodPut, "/_index_template/"+name, strings.NewReader(string(body))))
		if w.Code != http.StatusOK {
			t.Fatalf("putting template %s: %d", name, w.Code)
		}
	}
}

// refused checks that a document waits and the sink says why.
func refused(t *testing.T, s *sinks.Opened, said string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := s.Sink.Write(ctx, sinktest.Batch(t, 1, sinktest.Index, "a"))
		done <- err
	}()
	ready, ok := s.Sink.(pipeline.Readiness)
	if !ok {
		t.Fatal("the sink cannot say whether it is ready")
	}
	var err error
	for err == nil && t.Context().Err() == nil {
		err = ready.Ready()
	}
	if !strings.Contains(err.Error(), said) {
		t.Errorf("got %v, want %q in it", err, said)
	}
	cancel()
	if err := <-done; err == nil {
		t.Error("the document got through")
	}
}

func TestConfig_Validate(t *testing.T) {
	es := func(c elasticsearch.Config) sinks.Config { return sinks.Config{Elasticsearch: &c} }
	os := func(c opensearch.Config) sinks.Config { return sinks.Config{OpenSearch: &c} }
	urls := []string{"https://es:9200"}
	tests := []struct {
		name string
		c    sinks.Config
		want string // part of the error; "" when it is right
	}{
		{"elasticsearch", es(elasticsearch.Config{URLs: urls, APIKey: "k"}), ""},
		{"opensearch", os(opensearch.Config{URLs: urls, SigV4: &opensearch.SigV4{Service: "aoss"}}), ""},
		{"no sink", sinks.Config{}, "there is no sink"},
		{"two sinks", sinks.Config{Elasticsearch: &elasticsearch.Config{URLs: urls}, NDJSON: &ndjson.Config{Path: "-"}}, "a second queue"},
		{"no address", es(elasticsearch.Config{}), "elasticsearch.urls"},
		{"urls and cloud_id", es(elasticsearch.Config{URLs: urls, CloudID: "x:y"}), "only one of them"},
		{"no scheme", es(elasticsearch.Config{URLs: []string{"es:9200"}}), "urls[0]"},
		{"two ways in", es(elasticsearch.Config{URLs: urls, APIKey: "k", Username: "u", Password: "p"}), "elasticsearch.api_key"},
		{"a user without password", os(opensearch.Config{URLs: urls, Username: "u"}), "opensearch.username"},
		{"unknown service", os(opensearch.Config{URLs: urls, SigV4: &opensearch.SigV4{Service: "s3"}}), "sigv4.service"},
		{"unreadable authority", es(elasticsearch.Config{URLs: urls, CAFile: "nowhere.pem"}), "elasticsearch.ca_file"},
		{"a fingerprint that is none", es(elasticsearch.Config{URLs: urls, CAFingerprint: "zz"}), "64 hex digits"},
		{"a certificate without key", es(elasticsearch.Config{URLs: urls, ClientCert: "x.pem"}), "elasticsearch.client_cert"},
		{"a file without path", sinks.Config{NDJSON: &ndjson.Config{}}, "ndjson.path"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.c.Validate()
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q in it", err, tt.want)
			}
		})
	}
}

// TestTLS connects to a server whose certificate no system authority has signed.
func TestTLS(t *testing.T) {
	server := httptest.NewTLSServer(&standin.Cluster{})
	defer server.Close()
	own := server.Certificate()
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: own.Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name    string
		c       elasticsearch.Config
		trusted bool
	}{
		{"nobody vouches", elasticsearch.Config{}, false},
		{"its authority's file", elasticsearch.Config{CAFile: file}, true},
		{"its fingerprint", elasticsearch.Config{CAFingerprint: fingerprint(own.Raw)}, true},
		{"another fingerprint", elasticsearch.Config{CAFingerprint: fingerprint([]byte("other"))}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.c.URLs = []string{server.URL}
			transport, err := tt.c.Transport(1)
			if err != nil {
				t.Fatal(err)
			}
			_, err = cluster.Ask(t.Context(), transport)
			if (err == nil) != tt.trusted {
				t.Errorf("got %v, trusted should be %v", err, tt.trusted)
			}
		})
	}
}

func TestSecretsStayOut(t *testing.T) {
	const secret = "planted-secret"
	c := elasticsearch.Config{URLs: []string{"http://127.0.0.1:1"}, Username: "u", Password: value.Secret(secret)}
	transport, err := c.Transport(1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = cluster.Ask(t.Context(), transport); err == nil || strings.Contains(err.Error(), secret) {
		t.Errorf("got %v, want an error without the password", err)
	}
}

func fingerprint(der []byte) string {
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:])
}

// TestCreateIndex_refused: an index that is there already is written to, though the cluster refuses to make any.
func TestCreateIndex_refused(t *testing.T) {
	c := &standin.Cluster{}
	full := false
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if full && r.Method == http.MethodPut && strings.HasPrefix(r.URL.Path, "/logs-") {
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write([]byte(`{"error":{"type":"index_create_block_exception","reason":"blocked by: [FORBIDDEN/10/cluster create-index blocked (api)];"},"status":403}`))
			return
		}
		c.ServeHTTP(w, r)
	}))
	defer server.Close()
	write := func(id string) {
		t.Helper()
		s := open(t, kinds(server.URL)["opensearch"]) // a new one: it does not know the index yet
		fates, err := s.Sink.Write(t.Context(), sinktest.Batch(t, 1, sinktest.Index, id))
		if err != nil || fates[0].Outcome != pipeline.Indexed {
			t.Errorf("%s: got %v, %v, want it indexed", id, fates, err)
		}
	}
	write("before")
	full = true
	write("after")
}
