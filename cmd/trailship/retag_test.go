package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/trailship/trailship/config"
	"github.com/trailship/trailship/test/standin"
)

// retag finds documents by their tag, asks IAM and lays the tags over them.
func TestRetag(t *testing.T) {
	people := &standin.IAM{Own: "111122223333"}
	people.Put("111122223333", "user/alice", standin.Principal{Tags: map[string]string{"team": "payments"}})
	people.Put("111122223333", "role/Deploy", standin.Principal{Tags: map[string]string{"team": "build"}})
	cloud := httptest.NewServer(people)
	defer cloud.Close()
	for name, text := range demoEnvironment(cloud.URL) {
		t.Setenv(name, text)
	}
	const hit = `{"_index":"logs-1","_id":"%d","_source":{"tags":["forwarded","_iam_unavailable"],"user":{"name":"alice"},` +
		`"cloud":{"account":{"id":"111122223333"}},"aws":{"cloudtrail":{"user_identity":{%s}}}}}`
	pages := []string{
		fmt.Sprintf(hit, 1, `"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/alice"`),
		fmt.Sprintf(hit, 2, `"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/Deploy/s",`+
			`"session_context":{"session_issuer":{"type":"Role","arn":"arn:aws:iam::111122223333:role/ci/Deploy","account_id":"111122223333"}}`),
	}
	var asked, changed string
	es := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		switch {
		case strings.HasSuffix(r.URL.Path, "/_bulk"):
			changed += string(body)
			fmt.Fprint(w, `{"items":[{"update":{"status":200}}]}`)
		case r.Method == http.MethodDelete:
			fmt.Fprint(w, `{}`)
		default:
			asked += string(body)
			next := ""
			if len(pages) > 0 {
				next, pages = pages[0], pages[1:]
			}
			fmt.Fprintf(w, `{"_scroll_id":"s","hits":{"hits":[%s]}}`, next)
		}
	}))
	defer es.Close()
	file := filepath.Join(t.TempDir(), "trailship.yaml")
	text := "aws: {region: us-east-1}\nsources: {sqs: [{queue_url: 'https://sqs.us-east-1.amazonaws.com/111122223333/q'}]}\n" +
		"sinks: {elasticsearch: {urls: ['" + es.URL + "']}}\nenrich: {iam_tags: {map: {team: user.group.name}}}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := retag(t.Context(), cfg, time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), &out, zap.NewNop()); err != nil {
		t.Fatal(err)
	}
	if got, want := out.String(), "2 documents found, 2 tagged, 0 still without, 0 refused\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if !strings.Contains(asked, `"tags":"_iam_unavailable"`) || !strings.Contains(asked, "2026-01-02T03:04:05Z") {
		t.Errorf("asked for %s", asked)
	}
	for line := range strings.Lines(changed) {
		if !json.Valid([]byte(line)) {
			t.Errorf("got %s, which is no JSON", line)
		}
	}
	for _, want := range []string{
		`{"doc":{"tags":["forwarded"],"aws":{"iam":{"user":{"path":"/","tags":{"team":"payments"},"tag":["team=payments"]}}},"user":{"group":{"name":"payments"}}}}`,
		`{"doc":{"tags":["forwarded"],"aws":{"iam":{"role":{"path":"/","tags":{"team":"build"},"tag":["team=build"]}}},"user":{"group":{"name":"build"}}}}`,
	} {
		if !strings.Contains(changed, want) {
			t.Errorf("got\n%s, want in it\n%s", changed, want)
		}
	}
}
