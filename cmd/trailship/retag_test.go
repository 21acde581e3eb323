package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/trailship/trailship/config"
	"github.com/trailship/trailship/pipeline/awsconfig"
	"github.com/trailship/trailship/pipeline/cloudtrail"
	"github.com/trailship/trailship/pipeline/ecs"
	"github.com/trailship/trailship/pipeline/enrich"
	"github.com/trailship/trailship/sinks/cluster"
	"github.com/trailship/trailship/test/standin"
)

// tagged is a cluster that knows what retag asks for: a search for a tag within a time, its further pages, and updates.
type tagged struct {
	mu      sync.Mutex
	docs    map[string]map[string]any
	pending []string // of the search under way
	pages   int
	changes int
	page    func(n int) // called before the n-th page is answered
}

func (c *tagged) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	w.Header().Set("X-Elastic-Product", "Elasticsearch")
	switch {
	case strings.HasSuffix(r.URL.Path, "/_bulk"):
		c.update(w, body)
	case r.Method == http.MethodDelete:
		fmt.Fprint(w, `{}`)
	case strings.HasSuffix(r.URL.Path, "/scroll"):
		c.further(w)
	default:
		c.search(w, body)
	}
}

func (c *tagged) search(w http.ResponseWriter, body []byte) {
	var ask struct {
		Query struct {
			Bool struct {
				Filter []struct {
					Term  map[string]string
					Range map[string]struct{ GTE time.Time }
				}
			}
		}
	}
	if err := json.Unmarshal(body, &ask); err != nil || len(ask.Query.Bool.Filter) != 2 {
		http.Error(w, "no such query", http.StatusBadRequest)
		return
	}
	tag, since := ask.Query.Bool.Filter[0].Term["tags"], ask.Query.Bool.Filter[1].Range["@timestamp"].GTE
	c.pending = nil
	for _, id := range slices.Sorted(maps.Keys(c.docs)) {
		tags, _ := c.docs[id]["tags"].([]any)
		text, _ := c.docs[id]["@timestamp"].(string)
		if at, err := time.Parse(time.RFC3339, text); err == nil && !at.Before(since) && slices.Contains(tags, any(tag)) {
			c.pending = append(c.pending, id)
		}
	}
	c.further(w)
}

// further answers two documents of the search.
func (c *tagged) further(w http.ResponseWriter) {
	c.pages++
	if c.page != nil {
		c.page(c.pages)
	}
	hits := []any{}
	for range min(2, len(c.pending)) {
		id := c.pending[0]
		c.pending = c.pending[1:]
		hits = append(hits, map[string]any{"_index": "logs-1", "_id": id, "_source": c.docs[id]})
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"_scroll_id": "s", "hits": map[string]any{"hits": hits}})
}

func (c *tagged) update(w http.ResponseWriter, body []byte) {
	lines := bytes.Split(bytes.TrimSpace(body), []byte("\n"))
	var items []any
	for i := 0; i+1 < len(lines); i += 2 {
		var action struct {
			Update struct {
				ID string `json:"_id"`
			}
		}
		var change struct{ Doc map[string]any }
		if err := errors.Join(json.Unmarshal(lines[i], &action), json.Unmarshal(lines[i+1], &change)); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		overlay(c.docs[action.Update.ID], change.Doc)
		c.changes++
		items = append(items, map[string]any{"update": map[string]any{"status": http.StatusOK}})
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"items": items})
}

// overlay merges as clusters do: objects member by member, all else whole.
func overlay(doc, change map[string]any) {
	for key, v := range change {
		old, inDoc := doc[key].(map[string]any)
		fresh, inChange := v.(map[string]any)
		if inDoc && inChange {
			overlay(old, fresh)
			continue
		}
		doc[key] = v
	}
}

// retagRig is a cluster with what was written while IAM was away, and what would have been written with it.
type retagRig struct {
	cluster *tagged
	want    map[string]map[string]any
	iam     *standin.IAM
	away    bool
	cfg     *config.Config
	since   time.Time
}

// retagRecords are one record of each identity that IAM knows, one that is deleted, and one that is too old.
func retagRecords() []string {
	const at, issuer = `{"eventID":"%d","eventTime":"%s","eventName":"X","recipientAccountId":"111122223333","userIdentity":{%s}}`,
		`"sessionContext":{"sessionIssuer":{"type":"%s","arn":"arn:aws:iam::111122223333:%s","accountId":"111122223333","userName":"%s"}}`
	role := func(path, name string) string {
		return `"type":"AssumedRole","accountId":"111122223333","arn":"arn:aws:sts::111122223333:assumed-role/` + name + `/s",` +
			fmt.Sprintf(issuer, "Role", "role/"+path+name, name)
	}
	const alice = `"type":"IAMUser","accountId":"111122223333","arn":"arn:aws:iam::111122223333:user/people/alice","userName":"alice"`
	identities := []string{
		alice, role("ci/", "Deploy"), role("aws-reserved/sso.amazonaws.com/eu-west-1/", "AWSReservedSSO_Admin_0123456789abcdef"),
		`"type":"FederatedUser","accountId":"111122223333","arn":"arn:aws:sts::111122223333:federated-user/fred",` +
			fmt.Sprintf(issuer, "IAMUser", "user/people/alice", "alice"),
		`"type":"AssumedRole","accountId":"111122223333","arn":"arn:aws:sts::111122223333:assumed-role/Deploy/s"`,
		strings.ReplaceAll(alice, "alice", "gone"), alice,
	}
	var records []string
	for i, identity := range identities {
		day := "2026-01-02T03:04:05Z"
		if i == len(identities)-1 {
			day = "2026-01-01T03:04:05Z"
		}
		records = append(records, fmt.Sprintf(at, i, day, identity))
	}
	return records
}

func newRetagRig(t *testing.T) *retagRig {
	t.Helper()
	g := &retagRig{iam: &standin.IAM{Own: "111122223333"}, since: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)}
	g.iam.Put("111122223333", "user/alice", standin.Principal{Path: "/people/", Tags: map[string]string{"team": "payments", "cost.center": "42"}})
	g.iam.Put("111122223333", "role/Deploy", standin.Principal{Path: "/ci/", Tags: map[string]string{"team": "build"}})
	g.iam.Put("111122223333", "role/AWSReservedSSO_Admin_0123456789abcdef", standin.Principal{Tags: map[string]string{"team": "admins"}})
	g.iam.Answer = func(c standin.Call) (int, string, time.Duration) {
		if g.away && c.Service == "iam" {
			return http.StatusServiceUnavailable, "ServiceUnavailable", 0
		}
		return 0, "", 0
	}
	cloud := httptest.NewServer(g.iam)
	t.Cleanup(cloud.Close)
	for name, text := range demoEnvironment(cloud.URL) {
		t.Setenv(name, text)
	}
	g.cluster = &tagged{}
	es := httptest.NewServer(g.cluster)
	t.Cleanup(es.Close)
	file := filepath.Join(t.TempDir(), "trailship.yaml")
	text := "aws: {region: us-east-1}\nsources: {sqs: [{queue_url: 'https://sqs.us-east-1.amazonaws.com/111122223333/q'}]}\n" +
		"sinks: {elasticsearch: {urls: ['" + es.URL + "']}}\nenrich: {iam_tags: {map: {team: user.group.name}}}\noutput: {tags: [cloud]}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var err error
	if g.cfg, err = config.Load(file); err != nil {
		t.Fatal(err)
	}
	g.want = g.write(t)
	g.away = true
	g.cluster.docs = g.write(t)
	g.away = false
	return g
}

// write makes the documents of the records as the daemon does.
func (g *retagRig) write(t *testing.T) map[string]map[string]any {
	t.Helper()
	account, err := awsconfig.Load(t.Context(), g.cfg.AWS, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	c := enrich.Config{Wait: 20 * time.Second, IAMTags: g.cfg.Enrich.IAMTags}
	set, err := enrich.New(c, enrich.Options{AWS: account, Metrics: prometheus.NewRegistry(), Log: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	defer runBeside(t.Context(), set.Run)()
	encoder := ecs.NewEncoder(ecs.Config{Tags: g.cfg.Output.Tags})
	docs := map[string]map[string]any{}
	for _, text := range retagRecords() {
		var r cloudtrail.Record
		if err := r.Parse([]byte(text)); err != nil {
			t.Fatal(err)
		}
		set.Enrich(t.Context(), &r, encoder.Fragments())
		var doc map[string]any
		if err := json.Unmarshal(encoder.Append(nil, &r), &doc); err != nil {
			t.Fatal(err)
		}
		docs[string(r.Field(cloudtrail.EventID).Bytes())] = doc
	}
	return docs
}

func (g *retagRig) retag(ctx context.Context, dry bool) (said string, err error) {
	var out strings.Builder
	err = retagJob{since: g.since, dry: dry}.run(ctx, g.cfg, &out, zap.NewNop())
	return out.String(), err
}

// check compares what the cluster has with what it would have if IAM had answered, but for the event that is too old.
func (g *retagRig) check(t *testing.T) {
	t.Helper()
	ignore := cmp.FilterPath(func(p cmp.Path) bool { return strings.HasSuffix(p.GoString(), `["created"]`) }, cmp.Ignore())
	for id, want := range g.want {
		got, old := g.cluster.docs[id], id == "6"
		tags, _ := got["tags"].([]any)
		if slices.Contains(tags, any(enrich.Unavailable)) != old {
			t.Errorf("%s: got tags %v", id, tags)
		}
		if diff := cmp.Diff(want, got, ignore); diff != "" && !old {
			t.Errorf("%s differs from what IAM says (-want +got):\n%s", id, diff)
		}
	}
}

// What retag makes of documents is what the daemon would have made of them.
func TestRetag(t *testing.T) {
	g := newRetagRig(t)
	before, err := json.Marshal(g.cluster.docs)
	if err != nil {
		t.Fatal(err)
	}
	said, err := g.retag(t.Context(), true)
	if want := "6 documents found, 6 would be tagged, 0 still without, 0 refused\n"; err != nil || said != want {
		t.Errorf("dry: got %q %v, want %q", said, err, want)
	}
	if after, err := json.Marshal(g.cluster.docs); err != nil || !bytes.Equal(before, after) || g.cluster.changes > 0 {
		t.Errorf("a dry run made %d changes (%v)", g.cluster.changes, err)
	}
	said, err = g.retag(t.Context(), false)
	if want := "6 documents found, 6 tagged, 0 still without, 0 refused\n"; err != nil || said != want {
		t.Errorf("got %q %v, want %q", said, err, want)
	}
	g.check(t)
	said, err = g.retag(t.Context(), false)
	if want := "0 documents found, 0 tagged, 0 still without, 0 refused\n"; err != nil || said != want {
		t.Errorf("once more: got %q %v, want %q", said, err, want)
	}
}

// Stopped half-way, it goes on where it was.
func TestRetag_interrupted(t *testing.T) {
	g := newRetagRig(t)
	ctx, cancel := context.WithCancel(t.Context())
	g.cluster.page = func(n int) {
		if n == 2 {
			cancel()
		}
	}
	if said, err := g.retag(ctx, false); err == nil {
		t.Errorf("got %q and no error of a run that was interrupted", said)
	}
	if g.cluster.changes != 2 {
		t.Errorf("got %d changes, want those of the first page", g.cluster.changes)
	}
	g.cluster.page = nil
	said, err := g.retag(t.Context(), false)
	if want := "4 documents found, 4 tagged, 0 still without, 0 refused\n"; err != nil || said != want {
		t.Errorf("got %q %v, want %q", said, err, want)
	}
	g.check(t)
}

// absent is an enricher that answers from its n-th question on.
type absent struct{ from, asked int }

func (a *absent) Enrich(_ context.Context, _ *cloudtrail.Record, f *ecs.Fragments) {
	if a.asked++; a.asked < a.from {
		f.AddTags([]byte(`"_iam_unavailable",`))
	}
}

// IAM is asked again when it does not answer, but not for each document when it never does.
func TestRetag_tries(t *testing.T) {
	hit := cluster.Hit{Source: json.RawMessage(`{"tags":["_iam_unavailable"],"user":{"name":"alice"}}`)}
	hits := slices.Repeat([]cluster.Hit{hit}, 10)
	for _, tt := range []struct {
		name                string
		from, asked, tagged int
	}{
		{"at once", 1, 10, 10}, {"in the third try", 3, 12, 10}, {"after the first documents", 7, 13, 7}, {"never", 1000, 13, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := &absent{from: tt.from}
			r := &retagger{
				enricher: a, log: zap.NewNop(), told: time.Now(), hopeless: map[string]bool{},
				apply: func(context.Context, []cluster.Change) (int, string, error) { return 0, "", nil },
			}
			if err := r.page(t.Context(), hits); err != nil {
				t.Fatal(err)
			}
			if a.asked != tt.asked || r.tagged != tt.tagged || r.without != 10-tt.tagged {
				t.Errorf("got %d questions, %d tagged, %d without; want %d, %d, %d", a.asked, r.tagged, r.without, tt.asked, tt.tagged, 10-tt.tagged)
			}
			if err := r.outcome(nil); (err == nil) != (tt.tagged == 10) {
				t.Errorf("got %v", err)
			}
		})
	}
}
