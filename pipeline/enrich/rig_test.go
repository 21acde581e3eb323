package enrich_test

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/trailship/trailship/pipeline/awsconfig"
	"github.com/trailship/trailship/pipeline/cloudtrail"
	"github.com/trailship/trailship/pipeline/ecs"
	"github.com/trailship/trailship/pipeline/enrich"
	"github.com/trailship/trailship/test/standin"
)

const (
	ours   = "111122223333"
	theirs = "444455556666"
)

// rig is a Set at work against an IAM inside of the test.
type rig struct {
	set     *enrich.Set
	encoder *ecs.Encoder
	logs    *observer.ObservedLogs
	metrics *prometheus.Registry
	stop    func()
}

// newRig starts a Set. It ends with the test, or by stop.
func newRig(t testing.TB, iam *standin.IAM, c enrich.Config) *rig {
	t.Helper()
	server := httptest.NewServer(iam)
	t.Cleanup(server.Close)
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "AKIATEST", "AWS_SECRET_ACCESS_KEY": "s", "AWS_EC2_METADATA_DISABLED": "true", "AWS_PROFILE": "",
		"AWS_CONFIG_FILE": "/nonexistent", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
	} {
		if t, ok := t.(interface{ Setenv(name, value string) }); ok {
			t.Setenv(name, value)
		}
	}
	core, logs := observer.New(zapcore.InfoLevel)
	log := zap.New(core)
	loader, err := awsconfig.Load(t.Context(), awsconfig.Config{Region: "us-east-1", EndpointURL: server.URL}, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	registry := prometheus.NewRegistry()
	set, err := enrich.New(c, enrich.Options{AWS: loader, Metrics: registry, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		set.Run(ctx)
		close(done)
	}()
	r := &rig{set: set, encoder: ecs.NewEncoder(ecs.Config{}), logs: logs, metrics: registry}
	r.stop = func() {
		cancel()
		<-done
	}
	t.Cleanup(r.stop)
	return r
}

// document enriches a record and returns its document.
func (g *rig) document(t testing.TB, text string) map[string]any {
	t.Helper()
	var r cloudtrail.Record
	if err := r.Parse([]byte(text)); err != nil {
		t.Fatal(err)
	}
	g.set.Enrich(t.Context(), &r, g.encoder.Fragments())
	line := g.encoder.Append(nil, &r)
	var doc map[string]any
	if err := json.Unmarshal(line, &doc); err != nil {
		t.Fatalf("%v\n%s", err, line)
	}
	return doc
}

// said waits for a log line with text and returns all of them. Records go on before anything is said.
func (g *rig) said(text string) []observer.LoggedEntry {
	for end := time.Now().Add(20 * time.Second); g.logs.FilterMessageSnippet(text).Len() == 0 && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
	return g.logs.FilterMessageSnippet(text).All()
}

// at is the value at a path of a document, nil when there is none.
func at(doc map[string]any, path ...string) any {
	var v any = doc
	for _, key := range path {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[key]
	}
	return v
}

// patient is the default for a busy machine: records wait long enough for the stand-in's answer.
func patient() enrich.Config {
	c := enrich.Default()
	c.Wait = 20 * time.Second
	return c
}

// tagsOnly asks IAM and nothing else.
func tagsOnly() enrich.Config {
	c := patient()
	c.AccountNames.Enabled, c.UserAgent.Enabled = false, false
	return c
}

func userRecord(account, name string) string {
	return `{"eventName":"X","recipientAccountId":"` + account + `","userIdentity":{"type":"IAMUser","accountId":"` + account +
		`","arn":"arn:aws:iam::` + account + `:user/` + name + `","userName":"` + name + `"}}`
}
