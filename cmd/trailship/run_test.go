package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"go.uber.org/goleak"
	"go.uber.org/zap"

	"github.com/trailship/trailship/config"
	"github.com/trailship/trailship/test/standin"
)

const (
	bucket = "trail"
	queue  = "cloudtrail"
)

// world is what a daemon talks to: SQS, S3 and a cluster, each a server of this process.
type world struct {
	sqs      *standin.SQS
	s3       *standin.S3
	cluster  *standin.Cluster
	servers  map[string]string // URLs
	queueURL string
	objects  int
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{sqs: standin.NewSQS(), s3: standin.NewS3(), cluster: &standin.Cluster{}, servers: map[string]string{}}
	for name, handler := range map[string]http.Handler{"sqs": w.sqs, "s3": w.s3, "cluster": w.cluster} {
		server := httptest.NewServer(handler)
		t.Cleanup(server.Close)
		w.servers[name] = server.URL
	}
	w.s3.AddBucket(bucket, "eu-west-1")
	w.queueURL = w.servers["sqs"] + w.sqs.AddQueue(queue, standin.QueueOptions{})
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret-of-the-test")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_CONFIG_FILE", os.DevNull)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", os.DevNull)
	t.Setenv("AWS_ENDPOINT_URL_S3", w.servers["s3"])
	return w
}

// config is a configuration for this world. more is further sections.
func (w *world) config(t *testing.T, more string) *config.Config {
	t.Helper()
	if !strings.Contains(more, "sinks:") {
		more += "\nsinks: " + w.elasticsearch()
	}
	text := fmt.Sprintf(`
aws: {region: eu-west-1}
sources: {sqs: [{queue_url: %q, visibility_timeout: 30s}]}
server: {listen: %q}
`, w.queueURL, freeAddress(t)) + more
	cfg, err := config.Parse("test", []byte(text), func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// freeAddress is one that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	address, err := standin.QuietAddress(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// announce puts an object of n records into the bucket and its notice into the queue. It returns the object's key
// and the message's id.
func (w *world) announce(n int) (key, id string) { return w.announceWith(n, "") }

// announceWith puts something more into the list of records.
func (w *world) announceWith(n int, more string) (key, id string) {
	w.objects++
	key = fmt.Sprintf("AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/20/111122223333_CloudTrail_eu-west-1_20261120T1005Z_%06d.json.gz", w.objects)
	var text bytes.Buffer
	compressor := gzip.NewWriter(&text)
	fmt.Fprint(compressor, `{"Records":[`)
	for i := range n {
		if i > 0 {
			fmt.Fprint(compressor, ",")
		}
		fmt.Fprintf(compressor, `{"eventVersion":"1.11","eventTime":"2026-11-20T10:00:%02dZ","awsRegion":"eu-west-1","eventSource":"s3.amazonaws.com","eventName":"GetObject","eventID":"%06d-%06d","recipientAccountId":"111122223333"}`,
			i%60, w.objects, i)
	}
	fmt.Fprint(compressor, more, "]}")
	compressor.Close()
	w.s3.Put(bucket, key, text.Bytes())
	return key, w.notice(key, text.Len())
}

// notice announces an object, maybe once more.
func (w *world) notice(key string, size int) (id string) {
	return w.sqs.Send(queue, fmt.Sprintf(`{"Records":[{"eventVersion":"2.1","eventSource":"aws:s3","awsRegion":"eu-west-1","eventTime":"2026-11-20T10:05:00.000Z","eventName":"ObjectCreated:Put","s3":{"bucket":{"name":%q},"object":{"key":%q,"size":%d}}}]}`,
		bucket, key, size))
}

// left is the number of messages in the queue, those in flight too.
func (w *world) left() int {
	visible, inFlight := w.sqs.Depth(queue)
	return visible + inFlight
}

// running is a run in this process.
type running struct {
	stop context.CancelFunc // as a first SIGTERM does
	done chan error
	log  *lines
}

// start runs a daemon until stop is called or the test ends.
func start(t *testing.T, cfg *config.Config) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	d := &running{stop: cancel, done: make(chan error, 1), log: &lines{}}
	log, err := newLogger(config.Log{Level: "debug", Format: "json"}, d.log)
	if err != nil {
		t.Fatal(err)
	}
	go func() { d.done <- run(ctx, cfg, log) }()
	t.Cleanup(func() {
		cancel()
		if t.Failed() {
			t.Log(d.log.String())
		}
	})
	return d
}

// end stops the daemon as SIGTERM does and waits for it.
func (d *running) end(t *testing.T) {
	t.Helper()
	d.stop()
	select {
	case err := <-d.done:
		if err != nil {
			t.Errorf("the run ends with %v", err)
		}
	case <-time.After(time.Minute):
		t.Fatal("the daemon does not end")
	}
}

// lines is a log that can be read while it is written.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) Sync() error { return nil }

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// eventually waits until ok says so.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(2 * time.Minute)
	for !ok() {
		select {
		case <-deadline:
			t.Fatalf("it never came to this: %s", what)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// Messages in, documents exactly once, queue empty, and all pages say so; then SIGTERM ends an idle daemon soon.
func TestRun(t *testing.T) {
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) }) // after the servers, and with them all connections, are closed
	w := newWorld(t)
	const objects, records = 40, 50
	for range objects {
		w.announce(records)
	}
	cfg := w.config(t, "")
	d := start(t, cfg)
	eventually(t, "an empty queue", func() bool { return w.left() == 0 })
	if got, want := len(w.cluster.Docs()), objects*records; got != want || w.cluster.Count() != want {
		t.Errorf("documents: got %d, %d different ones, want %d", w.cluster.Count(), got, want)
	}
	answer, err := ask(t.Context(), "http://"+cfg.Server.Listen+"/readyz")
	if err != nil {
		t.Errorf("readyz: %q, %v", answer, err)
	}
	if answer, err = ask(t.Context(), "http://"+cfg.Server.Listen+"/status"); err != nil || !strings.Contains(answer, `"indexed": 2000`) {
		t.Errorf("status: %s, %v", answer, err)
	}
	told := time.Now()
	d.end(t)
	if took := time.Since(told); took > 10*time.Second { // a poll that is under way would last twenty, work in hand 25
		t.Errorf("an idle daemon takes %s to end, want no wait", took)
	}
}

// Every kind of sink does the same job.
func TestRun_sinks(t *testing.T) {
	file := filepath.Join(t.TempDir(), "documents")
	for _, kind := range []string{"opensearch", "local", "ndjson"} {
		t.Run(kind, func(t *testing.T) {
			w := newWorld(t)
			w.cluster.OpenSearch = true
			for range 5 {
				w.announce(10)
			}
			sink := map[string]string{
				"opensearch": fmt.Sprintf("sinks: {opensearch: {urls: [%q]}}", w.servers["cluster"]),
				"local":      fmt.Sprintf("sinks: {local: {path: %q}}", file+".db"),
				"ndjson":     fmt.Sprintf("sinks: {ndjson: {path: %q}}", file),
			}[kind]
			d := start(t, w.config(t, sink))
			eventually(t, "an empty queue", func() bool { return w.left() == 0 })
			d.end(t)
			got := w.cluster.Count()
			switch kind {
			case "local":
				got = stored(t, file+".db")
			case "ndjson":
				text, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				got = bytes.Count(text, []byte("\n"))
			}
			if got != 50 {
				t.Errorf("documents: got %d, want 50", got)
			}
		})
	}
}

// A record that cannot be read becomes a dead letter, its neighbours are stored, and the message is deleted.
func TestRun_deadLetters(t *testing.T) {
	w := newWorld(t)
	folder := t.TempDir()
	key, _ := w.announceWith(3, `,{"eventID":"broken","eventTime":2026-11-20}`)
	d := start(t, w.config(t, fmt.Sprintf("dead_letter: {directory: %q}", folder)))
	eventually(t, "an empty queue", func() bool { return w.left() == 0 })
	d.end(t)
	files, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no dead letters: %v", err)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"broken", bucket, key} {
		if !bytes.Contains(text, []byte(want)) {
			t.Errorf("the letter does not say %s: %s", want, text)
		}
	}
	if got := w.cluster.Count(); got != 3 {
		t.Errorf("documents: got %d, want 3", got)
	}
}

// systemd is told when the daemon is ready and when it stops.
func TestRun_systemd(t *testing.T) {
	w := newWorld(t)
	socket := systemd(t)
	d := start(t, w.config(t, ""))
	if got := told(t, socket, time.Minute); got != "READY=1" {
		t.Errorf("got %q, want READY=1", got)
	}
	d.end(t)
	if got := told(t, socket, time.Minute); got != "STOPPING=1" {
		t.Errorf("got %q, want STOPPING=1", got)
	}
}

// SIGTERM in the middle, a new daemon, and every notice once more: no document is lost, none is doubled.
func TestRun_again(t *testing.T) {
	w := newWorld(t)
	slow := func(*http.Request) *standin.ClusterFault { return &standin.ClusterFault{Delay: 20 * time.Millisecond} }
	w.cluster.Fault = slow
	const objects, records = 200, 20
	keys := make([]string, objects)
	for i := range keys {
		keys[i], _ = w.announce(records)
	}
	d := start(t, w.config(t, "limits: {in_flight: 8}"))
	eventually(t, "some documents", func() bool { return w.cluster.Count() > 0 })
	d.end(t)
	if w.left() == 0 {
		t.Log("the first daemon was too quick: nothing was left for the second")
	}
	for _, key := range keys {
		w.notice(key, 1000)
	}
	d = start(t, w.config(t, ""))
	eventually(t, "an empty queue", func() bool { return w.left() == 0 })
	d.end(t)
	if got, want := len(w.cluster.Docs()), objects*records; got != want || w.cluster.Count() != want {
		t.Errorf("documents: got %d, %d different ones, want %d", w.cluster.Count(), got, want)
	}
}

// Every scrape adds up, however quickly one follows another.
func TestRun_metrics(t *testing.T) {
	w := newWorld(t)
	for range 300 {
		w.announce(30)
	}
	cfg := w.config(t, "")
	d := start(t, cfg)
	scrapes, busy := 0, 0
	for done := false; !done; {
		done = w.left() == 0
		values, err := scrape(cfg.Server.Listen)
		if err != nil {
			continue // not listening yet
		}
		sum := values["trailship_records_in_flight"] + values["trailship_records_total"]
		if read := values["trailship_records_read_total"]; read != sum {
			t.Fatalf("scrape %d: read %v, ended and in flight %v", scrapes, read, sum)
		}
		scrapes++
		if values["trailship_records_in_flight"] > 0 {
			busy++
		}
	}
	d.end(t)
	if busy == 0 {
		t.Errorf("%d scrapes, none of them while records were in flight", scrapes)
	}
}

// scrape returns the value of every counter and gauge, summed over its labels.
func scrape(address string) (map[string]float64, error) {
	response, err := http.Get("http://" + address + "/metrics")
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(response.Body)
	if err != nil {
		return nil, err
	}
	values := map[string]float64{}
	for name, family := range families {
		for _, m := range family.GetMetric() {
			values[name] += m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return values, nil
}

// A port that is taken is told before anything starts.
func TestRun_takenPort(t *testing.T) {
	w := newWorld(t)
	cfg := w.config(t, "")
	l, err := net.Listen("tcp", cfg.Server.Listen)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	err = run(t.Context(), cfg, zap.NewNop())
	if err == nil || exitCode(err) != exitUsage || !strings.Contains(err.Error(), "is taken") {
		t.Errorf("got %v with exit code %d", err, exitCode(err))
	}
}
