package deadletter_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap/zaptest"

	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/pipeline/cloudtrail"
	"github.com/trailship/trailship/sinks/deadletter"
	"github.com/trailship/trailship/test/standin"
)

func letter(id, record string) pipeline.Letter {
	return pipeline.Letter{
		ID: id, Record: []byte(record), Origin: &cloudtrail.Object{Bucket: "trail", Key: "k.json.gz"},
		Number: 7, Offset: 1234, Index: "logs-1",
		Refusal: pipeline.Refusal{Status: 400, Type: "mapper_parsing_exception", Reason: "no"},
	}
}

// kept is the part of a kept letter that does not depend on the clock.
type kept struct {
	ID           string `json:"id,omitempty"`
	Type         string `json:"type"`
	Reason       string `json:"reason"`
	Status       int    `json:"status"`
	Index        string `json:"index"`
	Bucket       string `json:"bucket"`
	Key          string `json:"key"`
	Number       int    `json:"number"`
	Offset       int64  `json:"offset"`
	Record       string `json:"record"`
	RecordBase64 []byte `json:"record_base64"`
}

func whole(id, record string) kept {
	return kept{
		ID: id, Type: "mapper_parsing_exception", Reason: "no", Status: 400, Index: "logs-1",
		Bucket: "trail", Key: "k.json.gz", Number: 7, Offset: 1234, Record: record,
	}
}

func places(t *testing.T, c deadletter.Config, cluster deadletter.Cluster) *deadletter.Places {
	t.Helper()
	p, err := deadletter.New(c, deadletter.Options{Cluster: cluster, Log: zaptest.NewLogger(t)})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// lines are the letters in the files of a directory.
func lines(t *testing.T, dir string) []kept {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "dead-letters-*.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	var all []kept
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for scan := bufio.NewScanner(f); scan.Scan(); {
			var k kept
			if err := json.Unmarshal(scan.Bytes(), &k); err != nil {
				t.Fatal(err)
			}
			all = append(all, k)
		}
	}
	return all
}

func TestDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "when", "needed")
	p := places(t, deadletter.Config{Directory: dir}, nil)
	if err := p.Bury(t.Context(), []pipeline.Letter{letter("a", `{"eventID":"a<b"}`), letter("b", "\xff{")}); err != nil {
		t.Fatal(err)
	}
	if err := p.Bury(t.Context(), []pipeline.Letter{letter("c", `{}`)}); err != nil {
		t.Fatal(err)
	}
	odd := whole("b", "")
	odd.RecordBase64 = []byte("\xff{")
	want := []kept{whole("a", `{"eventID":"a<b"}`), odd, whole("c", `{}`)}
	if diff := cmp.Diff(want, lines(t, dir)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// server is a stand-in cluster as dead letters see one.
type server struct {
	*standin.Cluster
	url string
}

func newServer(t *testing.T) server {
	t.Helper()
	s := server{Cluster: &standin.Cluster{}}
	h := httptest.NewServer(s.Cluster)
	t.Cleanup(h.Close)
	s.url = h.URL
	return s
}

func (s server) Perform(req *http.Request) (*http.Response, error) {
	to, err := http.NewRequestWithContext(req.Context(), req.Method, s.url+req.URL.Path, req.Body)
	if err != nil {
		return nil, err
	}
	to.Header = req.Header
	return http.DefaultClient.Do(to)
}

func (s server) CreateIndex(ctx context.Context, name string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, "/"+name, nil)
	if err != nil {
		return err
	}
	res, err := s.Perform(req)
	if err != nil {
		return err
	}
	return res.Body.Close()
}

func TestIndex(t *testing.T) {
	s := newServer(t)
	p := places(t, deadletter.Config{Index: "dead"}, s)
	for range 2 { // burying again is harmless
		if err := p.Bury(t.Context(), []pipeline.Letter{letter("a", `{"eventID":"a"}`)}); err != nil {
			t.Fatal(err)
		}
	}
	docs := s.Docs()
	if len(docs) != 1 {
		t.Fatalf("got %d documents, want 1", len(docs))
	}
	for id, text := range docs {
		var got kept
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatal(err)
		}
		want := whole("", `{"eventID":"a"}`)
		if diff := cmp.Diff(want, got); diff != "" || !strings.HasSuffix(id, "a") {
			t.Errorf("%s (-want +got):\n%s", id, diff)
		}
	}
}

func TestPlaces_order(t *testing.T) {
	refuse := func(string, []byte, []byte) *standin.ItemFault {
		return &standin.ItemFault{Status: 403, Type: "cluster_block_exception", Reason: "read-only"}
	}
	tests := []struct {
		name          string
		index         bool // the index works
		directory     bool // there is a directory
		wantInIndex   int
		wantInDir     int
		wantErrorPart string
	}{
		{name: "the index first", index: true, directory: true, wantInIndex: 1},
		{name: "the directory when the index refuses", directory: true, wantInDir: 1},
		{name: "nowhere else to go", wantErrorPart: "cluster_block_exception"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newServer(t)
			if !tt.index {
				s.Item = refuse
			}
			c := deadletter.Config{Index: "dead"}
			if tt.directory {
				c.Directory = t.TempDir()
			}
			err := places(t, c, s).Bury(t.Context(), []pipeline.Letter{letter("a", `{}`)})
			if (err != nil) != (tt.wantErrorPart != "") || err != nil && !strings.Contains(err.Error(), tt.wantErrorPart) {
				t.Errorf("got error %v, want %q in it", err, tt.wantErrorPart)
			}
			if got := len(s.Docs()); got != tt.wantInIndex {
				t.Errorf("got %d letters in the index, want %d", got, tt.wantInIndex)
			}
			if !tt.directory {
				return
			}
			if got := len(lines(t, c.Directory)); got != tt.wantInDir {
				t.Errorf("got %d letters in the directory, want %d", got, tt.wantInDir)
			}
		})
	}
}

// nowhere is an account without a region.
func nowhere(string) aws.Config { return aws.Config{} }

func TestNew_mistakes(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]deadletter.Config{
		"an index without a cluster":       {Index: "dead"},
		"a directory that is a file":       {Directory: file},
		"a directory that cannot be there": {Directory: filepath.Join(file, "below")},
		"S3 without a region":              {S3: "s3://bucket/prefix"},
	} {
		if _, err := deadletter.New(c, deadletter.Options{AWS: nowhere, Log: zaptest.NewLogger(t)}); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}
